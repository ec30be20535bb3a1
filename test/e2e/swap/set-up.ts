// Starts a cluster for the swap alone: what runs on it, the test decides.
import type { TestProject } from 'vitest/node';
import { startGround } from '../ground.ts';

/** Starts it; what it returns stops it again. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  await using stack = new AsyncDisposableStack();
  const { run, programs } = await startGround(stack, process.env);
  project.provide('endToEnd', run);
  const running = stack.move();
  return async () => {
    const fallen = programs.fallen();
    await running.disposeAsync();
    if (fallen) throw new Error(fallen);
  };
};
