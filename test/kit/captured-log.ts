// A logger whose lines a test reads.
import { createLogger, type Logger } from '../../src/lib/log.ts';

/** Creates a logger of level debug and the list its parsed lines are added to. */
export const capturedLog = (): { log: Logger; lines: Record<string, unknown>[] } => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line));
  };
  const log = createLogger({ level: 'debug', sink: { write } });
  return { log, lines };
};

/** A logger that writes nothing. */
export const silentLog: Logger = createLogger({ level: 'silent' });
