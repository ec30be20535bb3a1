import { expect, test } from 'vitest';
import { runProgram, type ProgramRun } from './run-program.ts';

const run = (script: string, more: Partial<ProgramRun> = {}) =>
  runProgram({
    program: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    signal: new AbortController().signal,
    maxOutputBytes: 1000,
    ...more,
  });

test('a program gets its input and an environment of its own, and says how it ended', async () => {
  const end = await run('cat; printf "%s" "$HOME$SECRET"; echo why >&2; exit 3', {
    input: 'in ',
    env: { PATH: '/usr/bin:/bin', SECRET: 'given' },
  });
  expect({ ...end, stdout: end.stdout.toString() }).toEqual({
    code: 3,
    stdout: 'in given',
    stderr: 'why\n',
    overflowed: false,
  });
});

test.each(['yes', 'yes >&2'])('a program that prints without end is ended: %s', async (script) => {
  const { code, overflowed, stdout } = await run(script);
  expect([code, overflowed, stdout.length <= 1000]).toEqual([null, true, true]);
});

test('what a program has started ends with it', async () => {
  const stop = new AbortController();
  const running = run('sleep 1000 & sleep 1000', { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough'); // not before both have let go of the output
});

test('a program that is not there is an error of the system', async () => {
  await expect(run('', { program: '/nowhere/at-all' })).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(run('', { signal: AbortSignal.abort(new Error('never begun')) })).rejects.toThrow('never begun');
});
