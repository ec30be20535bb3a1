// How a kind is addressed, as a value that also carries the kind's type.
import type { ApiObject } from './metadata.ts';

/**
 * Group, version, plural and scope of a kind. The client takes it as it stands.
 * `T` is the kind's type; `type` is never set, it only carries `T`.
 */
export interface ApiResource<T extends ApiObject = ApiObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly type?: T;
}
