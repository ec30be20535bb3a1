// What the embedded server is known not to do, by the test that shows it on a real one.

/** A promise that the embedded server does not keep, and why. */
export interface Difference {
  /** The name of the test. */
  readonly test: string;
  readonly reason: string;
}

/** All of them; the table in `docs/sandbox.md` says the same. */
export const differences: readonly Difference[] = [
  {
    test: 'apply --server-side: owns the fields that it applies',
    reason: 'No server-side apply: it is refused with 415 and a sentence that names what works instead.',
  },
  {
    test: 'an apply patch merges by the owners of fields',
    reason: 'The same, asked of the API itself.',
  },
  {
    test: 'an object tells who set which of its fields',
    reason: 'No `managedFields`: without server-side apply nobody reads them, and clients drop them.',
  },
  {
    test: 'a built-in object is checked field by field',
    reason:
      'Only the built-in kinds that services write themselves are checked: Namespaces, Secrets, config maps, service accounts, Leases and Events. Workloads are stored and shown, never run.',
  },
  {
    test: 'explain: tells of the fields of built-in kinds',
    reason: 'For the same reason their fields are not described.',
  },
  {
    test: 'a Deployment is scaled through a subresource',
    reason: 'No `scale`: nothing runs that could be scaled. `spec.replicas` can be changed.',
  },
  {
    test: 'rules in CEL are kept',
    reason: 'No CEL: no definition of the service has such a rule.',
  },
  {
    test: 'a watch waits for a version that is yet to come',
    reason:
      'It is answered with 410, so that who still has a version of an earlier life of this server, whose memory is gone, lists again.',
  },
  {
    test: 'Events are served in their newer form too',
    reason: 'Only the core form of Events, which the service writes and kubectl reads.',
  },
  {
    test: 'a Service is given an address',
    reason: 'No network stands behind it.',
  },
  {
    test: 'conditions in CEL decide whether a webhook is asked',
    reason: 'No CEL: a configuration with `matchConditions` is refused.',
  },
  {
    test: 'a webhook is asked about a deletion',
    reason: 'Webhooks are asked about what is created and updated: a rule with `DELETE` or `*` is refused.',
  },
  {
    test: 'a webhook that others came after is asked again',
    reason: 'Every webhook is asked once: a configuration with `reinvocationPolicy: IfNeeded` is refused.',
  },
  {
    test: 'one may act as another user, who may do less',
    reason: 'No impersonation: who asks is told by the token alone.',
  },
];
