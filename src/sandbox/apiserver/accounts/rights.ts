// Who may do what, as RBAC has it: the administrator everything, a service account what is bound to it.
import { isRecord } from '../../../kube/json.ts';
import { asArray, asText, valueAt } from '../json.ts';
import type { ApiObject } from '../kinds/kind.ts';
import type { Storage } from '../storage/storage.ts';

/** Somebody who asks. */
export interface Caller {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid?: string;
}

/** What somebody wants to do with a resource. */
export interface Action {
  readonly verb: string;
  readonly group: string;
  /** `plural`, or `plural/subresource`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Looks up rights. */
export interface Rights {
  allow(caller: Caller, action: Action): boolean;
  /** The rules (`rbac.v1.PolicyRule`) that hold for somebody in a namespace, or for all of them. */
  rules(caller: Caller, namespace: string | undefined): unknown[];
}

const rbacGroup = 'rbac.authorization.k8s.io';

/** The administrator: the one user that is there from the start. */
export const admin: Caller = {
  username: 'sandbox-admin',
  groups: ['system:masters', 'system:authenticated'],
};

const isMaster = ({ groups }: Caller): boolean => groups.includes('system:masters');
const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };

const isSubject = (subject: unknown, { username, groups }: Caller): boolean => {
  const name = asText(valueAt(subject, 'name'));
  switch (valueAt(subject, 'kind')) {
    case 'ServiceAccount':
      return username === `system:serviceaccount:${asText(valueAt(subject, 'namespace'))}:${name}`;
    case 'User':
      return username === name;
    case 'Group':
      return groups.includes(name);
    default:
      return false;
  }
};

const has = (rule: unknown, field: string, ...wanted: readonly string[]): boolean => {
  const list = asArray(valueAt(rule, field));
  return list.includes('*') || wanted.some((one) => list.includes(one));
};

const permits = (rule: unknown, { verb, group, resource, name }: Action): boolean => {
  const names = asArray(valueAt(rule, 'resourceNames'));
  const part = resource.split('/')[1];
  return (
    isRecord(rule) &&
    has(rule, 'verbs', verb) &&
    has(rule, 'apiGroups', group) &&
    has(rule, 'resources', resource, ...(part === undefined ? [] : [`*/${part}`])) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  );
};

/** Creates the look-up over the roles and bindings that are stored. */
export const createRights = (storage: Storage): Rights => {
  const stored = (plural: string, namespace?: string): readonly ApiObject[] =>
    storage.list(`${plural}.${rbacGroup}`, namespace);

  const rulesBound = (binding: ApiObject): readonly unknown[] => {
    const name = asText(valueAt(binding, 'roleRef', 'name'));
    const { namespace } = binding.metadata;
    const role =
      valueAt(binding, 'roleRef', 'kind') === 'Role'
        ? storage.get(`roles.${rbacGroup}`, { name, ...(namespace === undefined ? {} : { namespace }) })
        : storage.get(`clusterroles.${rbacGroup}`, { name });
    return asArray(role?.['rules']);
  };

  const rules: Rights['rules'] = (caller, namespace) => {
    if (isMaster(caller)) return [everything];
    const bindings = [
      ...stored('clusterrolebindings'),
      ...(namespace === undefined ? [] : stored('rolebindings', namespace)),
    ];
    return bindings
      .filter((binding) => asArray(binding['subjects']).some((subject) => isSubject(subject, caller)))
      .flatMap(rulesBound);
  };

  return {
    rules,
    allow: (caller, action) => rules(caller, action.namespace).some((rule) => permits(rule, action)),
  };
};
