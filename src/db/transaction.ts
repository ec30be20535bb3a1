// One transaction, run again when it met another one.
import { Fault } from '../lib/fault.ts';
import type { CallDatabase } from './outside.ts';
import type { Queryable, SqlResult, SqlValue, Statement } from './sql.ts';
import { SqlFault, isAnswered, isConflict, isStalePlan } from './sql-error.ts';

/** A session that is lent for the length of a transaction. */
export interface LentSession {
  run<Row>(statement: Statement<Row>, values?: readonly SqlValue[]): Promise<SqlResult<Row>>;
  /** Gives it back; a broken one is closed. */
  release(broken: boolean): void;
}

/** What a transaction needs of its pool. */
interface TransactionHost {
  readonly lend: () => Promise<LentSession>;
  /** Has every session closed that was opened until now: their plans are of an older schema. */
  readonly renew: () => void;
  readonly call: CallDatabase;
  /** Told of each transaction that ended. */
  readonly ended: (outcome: 'committed' | 'rolled_back' | 'unknown') => void;
}

const MOST_ATTEMPTS = 3;

const begin: Statement<never> = { name: '', text: 'begin isolation level read committed' };
const commit: Statement<never> = { name: '', text: 'commit' };
const rollback: Statement<never> = { name: '', text: 'rollback' };

/** Runs `run` in a transaction as `Database.transaction` promises. */
export const runTransaction = async <T>(
  host: TransactionHost,
  name: string,
  run: (tx: Queryable) => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptTransaction(host, name, run);
    } catch (error) {
      if (isStalePlan(error)) host.renew();
      else if (!isConflict(error)) throw error;
      if (attempt === MOST_ATTEMPTS) throw error;
    }
  }
};

const attemptTransaction = async <T>(
  host: TransactionHost,
  name: string,
  run: (tx: Queryable) => Promise<T>,
): Promise<T> => {
  const session = await beginOn(host);
  const open = openTransaction(session, host.call);
  let result: T;
  try {
    result = await run(open.tx);
    await open.close();
  } catch (error) {
    await open.close().catch(() => undefined); // the first failure is kept
    const failure = open.failure();
    await rollBack(host, session, failure);
    throw isConflict(failure) || isStalePlan(failure) ? failure : error;
  }
  await commitOn(host, session, name);
  return result;
};

const beginOn = async (host: TransactionHost): Promise<LentSession> => {
  let session: LentSession | undefined;
  try {
    return await host.call.run('begin', async () => {
      session = await host.lend();
      await session.run(begin);
      return session;
    });
  } catch (error) {
    session?.release(true);
    throw error;
  }
};

/** The statements of one transaction, one after the other, and the first that failed: nothing can follow that one. */
const openTransaction = (session: LentSession, call: CallDatabase) => {
  let last: Promise<unknown> = Promise.resolve();
  let failure: Fault | undefined;
  let closed = false;
  const tx: Queryable = {
    async query<Row>(statement: Statement<Row>, values?: readonly SqlValue[]): Promise<SqlResult<Row>> {
      if (closed) throw new SqlFault('Unexpected', `${statement.name} was asked for after its transaction had ended`);
      const turn = last.then(() => {
        if (failure) throw failure;
        return call.run(statement.name, () => session.run(statement, values));
      });
      last = turn.catch((error: unknown) => {
        failure ??= error instanceof Fault ? error : undefined;
      });
      return turn;
    },
  };
  return {
    tx,
    failure: () => failure,
    /** Waits for the statements asked for. @throws the first failure, also when nobody looked at it. */
    async close(): Promise<void> {
      closed = true;
      await last;
      if (failure) throw failure;
    },
  };
};

const rollBack = async (host: TransactionHost, session: LentSession, failure: Fault | undefined): Promise<void> => {
  host.ended('rolled_back');
  if (failure && !isAnswered(failure)) return session.release(true);
  try {
    await host.call.run('rollback', () => session.run(rollback));
    session.release(false);
  } catch {
    session.release(true); // closing a session rolls back just as well
  }
};

const commitOn = async (host: TransactionHost, session: LentSession, name: string): Promise<void> => {
  try {
    await host.call.run('commit', () => session.run(commit));
  } catch (error) {
    session.release(true);
    if (isAnswered(error)) {
      host.ended('rolled_back');
      throw error;
    }
    host.ended('unknown');
    throw new SqlFault('CommitUnknown', `the connection broke during the commit of ${name}`);
  }
  host.ended('committed');
  session.release(false);
};
