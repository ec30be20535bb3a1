// `metav1.Condition` with the limits that the Kubernetes API conventions give it.
import { z } from 'zod';
import { int64, list, object, time } from './fields.ts';

const conditionSchema = object('What is known about one aspect of the object.', {
  lastTransitionTime: time('When `status` last changed, UTC.'),
  message: z.string().max(32768).describe('The state in words, for people; may be empty.'),
  observedGeneration: int64('The `metadata.generation` that this condition was made from.').min(0).optional(),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('The cause of the state in one CamelCase word, for programs.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether what `type` names holds.'),
  type: z
    .string()
    .max(316)
    .regex(
      /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
    )
    .describe('The aspect, in CamelCase; each type stands at most once in the list.'),
});

/** The `conditions` of a status. */
export const conditionsSchema = list('What is known about the object, one entry for each aspect.', conditionSchema);
