// What prevents a pass from reading is told to the user as well.
import { asError } from '../lib/fault.ts';

/**
 * Reads what a pass needs. When that fails, `tell` tells the user first; that telling may fail as well, since the API
 * server may be away too.
 * @throws what reading threw.
 */
export const readOrTell = async <T>(read: () => Promise<T>, tell: (fault: Error) => Promise<void>): Promise<T> => {
  try {
    return await read();
  } catch (error) {
    const fault = asError(error);
    await tell(fault).catch(() => undefined); // the first fault is the one that counts
    throw fault;
  }
};
