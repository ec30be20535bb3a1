// What a plan needs of a Secret, without the object around it.

/** A Secret as it stands in the cluster. */
export interface SecretFacts {
  readonly type: string;
  /** Values in base64, by key. */
  readonly data: Readonly<Record<string, string>>;
}
