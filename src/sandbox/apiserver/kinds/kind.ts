// What the server knows of one kind in one version: its names, its scope, and where it differs from others.
import type { KubeObject, ResourceType } from '../../../kube/object.ts';
import type { FieldError } from '../schema/field-error.ts';
import type { Schema } from '../schema/schema.ts';

/** Any object the server keeps. Kept objects are shared: nobody changes them. */
export interface ApiObject extends KubeObject {
  [field: string]: unknown;
}

/** A column of the table that `kubectl get` prints. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly description: string;
  /** 0 is always shown, anything higher in the wide output only. */
  readonly priority: number;
  /** What stands in the cell; undefined for nothing. `nowMs` is for ages. */
  readonly cell: (object: ApiObject, nowMs: number) => unknown;
}

/** How an object of the kind may be called. */
export type NameRule = 'subdomain' | 'label' | 'path';

/** What a kind adds to the way every object is written. All parts are pure functions over plain objects. */
export interface Strategy {
  /** Completes an object that is about to be created, or to replace `existing`. */
  readonly prepare?: (object: ApiObject, existing?: ApiObject) => ApiObject;
  /** Says what is wrong with it. */
  readonly validate?: (object: ApiObject, existing?: ApiObject) => FieldError[];
}

/** One kind in one version, as it is served. */
export interface Kind extends ResourceType {
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** True when a CustomResourceDefinition made it. */
  readonly custom: boolean;
  /** True when `status` is written through a subresource only. */
  readonly statusSubresource: boolean;
  /** True when `metadata.generation` counts changes. */
  readonly generation: boolean;
  readonly nameRule: NameRule;
  /** Fields besides `metadata.name` and `metadata.namespace` that a field selector may name; a last `*` stands for any. */
  readonly fieldLabels: readonly string[];
  readonly columns: readonly Column[];
  readonly strategy: Strategy;
  readonly schema?: Schema;
  /** The Go type (`go-structs.ts`) by which objects of a built-in kind are decoded. */
  readonly struct?: string;
  /** True when a replacement has to name the version that it replaces. */
  readonly needsVersion: boolean;
  /** True when tokens may be asked for of an object, through a subresource. */
  readonly tokenRequests?: boolean;
  /** True when a replacement of what is not there creates it. */
  readonly createOnUpdate: boolean;
}

/** `plural.group`, or the plural alone in the core group: what errors and storage call the kind. */
export const resourceName = (kind: Pick<ResourceType, 'group' | 'plural'>): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;

/** `Kind.group`, or the kind alone in the core group: what validation errors call it. */
export const kindName = (kind: Pick<ResourceType, 'group' | 'kind'>): string =>
  kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
