// What processes use of the machine, from /proc; nothing where there is none.
import { readdirSync, readFileSync } from 'node:fs';

/** CPU since the start of a process, and its memory now and at its peak. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  readonly peakMiB: number;
}

/** Linux counts in hundredths of a second whatever the kernel's own clock does. */
const TICKS_PER_SECOND = 100;

/** Reads one process. NaN for each figure that can't be read. */
export const usageOf = (pid: number): Usage => ({
  cpuSeconds: cpuSecondsOf(pid),
  rssMiB: statusMiB(pid, 'VmRSS'),
  peakMiB: statusMiB(pid, 'VmHWM'),
});

/** A process and its children, the ended ones included: PostgreSQL has one for each session. CPU only. */
export const familyCpuSeconds = (pid: number): number => {
  const [own = NaN, ended = NaN] = cpuOf(pid);
  const children = processIds().filter((child) => statOf(child)[1] === String(pid));
  return children.reduce((sum, child) => sum + (cpuSecondsOf(child) || 0), own + ended);
};

/** The process that started another one. */
export const parentOf = (pid: number): number => Number(statOf(pid)[1]);

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const processIds = (): number[] => {
  try {
    return readdirSync('/proc').map(Number).filter(Boolean);
  } catch {
    return [];
  }
};

/** The fields of `stat` after the program's name, which may hold anything: state, parent, … */
const statOf = (pid: number): string[] => read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];

/** Of itself, and of its children that have ended. */
const cpuOf = (pid: number): number[] => {
  const fields = statOf(pid);
  const seconds = (first: number): number => (Number(fields[first]) + Number(fields[first + 1])) / TICKS_PER_SECOND;
  return [seconds(11), seconds(13)];
};

const cpuSecondsOf = (pid: number): number => cpuOf(pid)[0] ?? NaN;

const statusMiB = (pid: number, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`))?.[1]) / 1024;
