// Hears everything that the service says anywhere but where secrets belong: log, events, statuses, rows, metrics.
import type { ApiServerOptions } from '../../src/sandbox/apiserver/server.ts';
import { capturedLog } from './captured-log.ts';
import type { RunningHalf, World } from './world.ts';

/** Where something was said, and what. */
export interface Heard {
  readonly where: string;
  readonly text: string;
}

/** What listens. */
export interface Eavesdropper {
  /** For the world and its halves: level debug. */
  readonly log: ReturnType<typeof capturedLog>['log'];
  /** For the API server: what is written of every kind but Secrets, and of our own kinds only the status. */
  readonly onAnswer: NonNullable<ApiServerOptions['onAnswer']>;
  /** From now on keeps every version of every row, until the world is gone. */
  follow(world: World): Promise<void>;
  /** Everything so far. Columns in `secretColumns`, as `table.column`, are left out. */
  heard(world: World, halves: readonly RunningHalf[], secretColumns: readonly string[]): Promise<readonly Heard[]>;
}

const OURS = '/apis/managed-gitops.redhat.com/';

/** Begins to listen. */
export const eavesdrop = (): Eavesdropper => {
  const { log, lines } = capturedLog();
  const answers: Heard[] = [];
  return {
    log,
    onAnswer({ method, path }, { body }) {
      if (method === 'GET' || typeof body !== 'string' || /\/secrets(\/|$)/.test(path)) return;
      const isTenants = path.startsWith(OURS) && !path.includes('/operations');
      const text = isTenants ? JSON.stringify((JSON.parse(body) as { status?: unknown }).status ?? '') : body; // an object
      answers.push({ where: `${method} ${path}`, text });
    },
    async follow({ database }) {
      await database.script(`
        create table every_version (name text, version jsonb);
        create function keep_version() returns trigger language plpgsql as $$
          begin insert into every_version values (tg_table_name, to_jsonb(new)); return new; end $$;
        do $$ declare one text; begin
          for one in select tablename from pg_tables where schemaname = 'public' and tablename <> 'every_version' loop
            execute format('create trigger keep_version after insert or update on %I for each row execute function keep_version()', one);
          end loop; end $$;`);
    },
    async heard({ database }, halves, secretColumns) {
      const versions = await database.sql<{ name: string; version: Record<string, unknown> }>(
        'select * from every_version',
      );
      const rows = versions.flatMap(({ name, version }) =>
        Object.entries(version)
          .map(([column, value]) => ({ where: `${name}.${column}`, text: String(value) }))
          .filter(({ where }) => !secretColumns.includes(where)),
      );
      const metrics = await Promise.all(halves.map(async (half) => ({ where: 'metrics', text: await half.metrics() })));
      return [...lines.map((line) => ({ where: 'log', text: JSON.stringify(line) })), ...answers, ...rows, ...metrics];
    },
  };
};

/** Where one of the texts stands, as it is, in base64 or as JSON has it: `<what> in <where>`. */
export const foundIn = (heard: readonly Heard[], canaries: ReadonlyMap<string, string>): readonly string[] => {
  const found = new Set<string>();
  for (const [what, canary] of canaries) {
    const forms = [canary, JSON.stringify(canary).slice(1, -1), Buffer.from(canary).toString('base64')];
    for (const { where, text } of heard)
      if (forms.some((form) => text.includes(form))) found.add(`${what} in ${where}`);
  }
  return [...found];
};
