// Compares what a ServiceAccount may do with what it asked for, as the API server's audit log has it.
import { readFileSync } from 'node:fs';

/** One thing that somebody may do, or asked for: `patch gitopsdeployments.managed-gitops.redhat.com/status`. */
export type Right = string;

/** What an account asked for. */
export interface Requests {
  readonly granted: ReadonlySet<Right>;
  /** By RBAC; a 403 can have other causes, such as a namespace that is being deleted. */
  readonly refused: ReadonlySet<Right>;
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly subresource?: string; readonly apiGroup?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A rule of RBAC. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const rightOf = (verb: string, resource: string, group: string): Right => {
  const [name = '', subresource] = resource.split('/');
  return `${verb} ${name}${group && `.${group}`}${subresource ? `/${subresource}` : ''}`;
};

/** What an account asked for, by the lines of an audit log. */
export const requestsOf = (auditLog: string, account: string): Requests => {
  const granted = new Set<Right>();
  const refused = new Set<Right>();
  for (const line of readFileSync(auditLog, 'utf8').split('\n')) {
    if (!line.includes(`"${account}"`)) continue;
    const { verb, user, objectRef, annotations } = JSON.parse(line) as AuditEvent; // the API server's own format
    if (user.username !== account || !objectRef) continue;
    const { resource, subresource, apiGroup = '' } = objectRef;
    const right = rightOf(verb, subresource ? `${resource}/${subresource}` : resource, apiGroup);
    (annotations?.['authorization.k8s.io/decision'] === 'forbid' ? refused : granted).add(right);
  }
  return { granted, refused };
};

/** All that rules allow. */
export const rightsIn = (rules: readonly Rule[]): Set<Right> =>
  new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => rightOf(verb, resource, group))),
      ),
    ),
  );
