// Runs a process until it is told to end.
import { Fault } from '../lib/fault.ts';
import type { Part } from '../runtime/process.ts';
import { createProcess } from '../runtime/process.ts';
import type { Platform } from './platform.ts';

/** Starts the parts, and stops them at SIGTERM or SIGINT. Returns when they have stopped. @throws what a start throws. */
export const runUntilSignal = async (platform: Platform, parts: readonly Part[]): Promise<void> => {
  const running = createProcess({ ...platform, parts });
  let asked = false;
  const stopped = new Promise<string>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  }).then(async (signal) => {
    asked = true;
    platform.log.info(`stopping (${signal})`);
    await running.stop();
  });
  await running.start();
  if (!asked) platform.log.info('started');
  await stopped;
  platform.log.info('stopped');
};

/** A signal that aborts at SIGTERM or SIGINT, for what ends by itself otherwise. */
export const stopSignal = (): AbortSignal => {
  const stopping = new AbortController();
  const stop = (signal: string): void => stopping.abort(new Fault('internal', 'Stopping', `stopped by ${signal}`));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  return stopping.signal;
};
