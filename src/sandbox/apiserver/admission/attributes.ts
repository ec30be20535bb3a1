// What is to be known about a write besides the object.
import type { JsonObject } from '../json.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';

/** What is done to which object, and how. */
export interface Attributes {
  readonly operation: 'CREATE' | 'UPDATE';
  readonly kind: Kind;
  /** '' where it is in none; of a Namespace its own name. */
  readonly namespace: string;
  /** '' where the server gives one. */
  readonly name: string;
  readonly subresource?: string;
  readonly dryRun: boolean;
  /** `CreateOptions`, `UpdateOptions` or `PatchOptions`. */
  readonly options: JsonObject;
  /** What is replaced; none for a new object. */
  readonly existing?: ApiObject;
  /** Told what webhooks want the user to read. */
  readonly warn: (text: string) => void;
}
