// Reads Secrets.
import type { Secret } from '../../kube/object.ts';

/** The text under a key of a Secret, '' where there is none. */
export const secretText = ({ data }: Secret, key: string): string =>
  Buffer.from(data?.[key] ?? '', 'base64').toString('utf8');
