// The suite's own kinds: one that has everything, and one that has next to nothing.

/** The label of every namespace and definition of a run. */
export const runLabel = 'contract.example/run';

/** The group of a run's kinds. */
export const groupOf = (id: string): string => `r${id}.contract.example`;

const conditions = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status'],
    properties: { type: { type: 'string' }, status: { type: 'string' } },
  },
};

const gadgetSpec = {
  type: 'object',
  description: 'What the gadget should be.',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 100, description: 'How big it is.' },
    weight: { type: 'number', minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 },
    colour: { type: 'string', enum: ['grey', 'red'], default: 'grey', description: 'How it is painted.' },
    code: { type: 'string', pattern: '^[a-z]+$', minLength: 2, maxLength: 5 },
    shiny: { type: 'boolean' },
    note: { type: 'string', nullable: true },
    since: { type: 'string', format: 'date-time' },
    port: { 'x-kubernetes-int-or-string': true },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 3 },
    steps: { type: 'array', items: { type: 'string' }, minItems: 1 },
    limits: { type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 2 },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, count: { type: 'integer', default: 1 } },
      },
    },
    options: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    either: {
      type: 'object',
      properties: { left: { type: 'string' }, right: { type: 'string' } },
      oneOf: [{ required: ['left'] }, { required: ['right'] }],
    },
  },
};

/** A kind with a status subresource, a schema with rules of every sort, and columns. */
const gadgets = (group: string) => ({
  group,
  scope: 'Namespaced',
  names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', shortNames: ['gd'], categories: ['toys'] },
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      subresources: { status: {} },
      additionalPrinterColumns: [
        { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'How big it is.' },
        { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        { name: 'Colour', type: 'string', jsonPath: '.spec.colour', priority: 1 },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
      selectableFields: [{ jsonPath: '.spec.colour' }],
      schema: {
        openAPIV3Schema: {
          type: 'object',
          description: 'A thing of some size.',
          required: ['spec'],
          properties: {
            spec: gadgetSpec,
            status: { type: 'object', properties: { phase: { type: 'string' }, conditions } },
          },
        },
      },
    },
  ],
});

/** A kind without a status subresource, of the whole cluster, that takes any field. */
const notes = (group: string) => ({
  group,
  scope: 'Cluster',
  names: { plural: 'notes', singular: 'note', kind: 'Note' },
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    },
  ],
});

/** The definitions of a run's kinds. */
export const suiteDefinitions = (id: string, labels: Record<string, string>) =>
  [gadgets(groupOf(id)), notes(groupOf(id))].map((spec) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${spec.names.plural}.${spec.group}`, labels },
    spec,
  }));
