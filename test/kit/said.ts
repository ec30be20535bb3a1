// What the API server was told for users to read, during a whole run of the tests: each condition of our kinds, each denial.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { ApiServerOptions } from '../../src/sandbox/apiserver/server.ts';
import type {} from './said-set-up.ts';

/** Takes the answers of an API server. */
type OnAnswer = NonNullable<ApiServerOptions['onAnswer']>;

const OURS = '/apis/managed-gitops.redhat.com/';

/** A recorder for one API server. Each line that is new to it is written down at once, so that a crash loses none. */
export const recordSaid = (): OnAnswer => {
  const folder = inject('saidFolder') as string | undefined; // not every project of the tests has it
  if (folder === undefined) return () => undefined;
  const file = join(folder, `${process.pid}`);
  const known = new Set<string>();
  return ({ method, path }, { body }) => {
    if (method === 'GET' || typeof body !== 'string' || !path.startsWith(OURS)) return;
    const fresh = linesOf(body).filter((line) => !known.has(line));
    for (const line of fresh) known.add(line);
    if (fresh.length > 0) appendFileSync(file, fresh.map((line) => `${JSON.stringify(line)}\n`).join(''));
  };
};

interface Answer {
  readonly kind?: string;
  readonly message?: string;
  readonly status?: string | { readonly conditions?: readonly Partial<Record<string, string>>[] };
}

const DENIAL = /^admission webhook "v(\w+)\.kb\.io" denied the request: /;

const linesOf = (body: string): readonly string[] => {
  const { kind = '', message = '', status } = JSON.parse(body) as Answer; // an object, or a Status
  if (typeof status === 'string') {
    const by = DENIAL.exec(message);
    return by ? [`${by[1]} denied: ${message.slice(by[0].length)}`] : [];
  }
  return (status?.conditions ?? []).map(
    (one) => `${kind} ${one['type']}=${one['status']} ${one['reason'] ?? ''}: ${one['message'] ?? ''}`,
  );
};
