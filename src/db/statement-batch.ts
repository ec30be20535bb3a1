// How statements for many items at once are batched.
import type { BatchOptions } from '../lib/batch.ts';
import { isAnswered } from './sql-error.ts';

/**
 * For `createBatch`: a hundred items a statement, two statements under way. A database that does not answer is no item's
 * fault, so that nothing is tried item by item while it is away.
 */
export const statementBatch: Pick<BatchOptions<never, never>, 'maxSize' | 'concurrency' | 'isShared'> = {
  maxSize: 100,
  concurrency: 2,
  isShared: (error) => !isAnswered(error),
};
