// Fails a test file that leaves a timer, socket, server or child process open after its last test.
import { afterAll, expect } from 'vitest';
import { trackOpenHandles } from './kit/open-handles.ts';

/** Long enough for what is being closed already: a socket's last packets, a killed process. */
const PATIENCE_MS = 2_000;

const { setTimeout: setRealTimeout } = globalThis;
const handles = trackOpenHandles();

// Registered before the hooks of the file itself, so it runs after them.
afterAll(async () => {
  const startMs = performance.now();
  while (handles.list().length > 0 && performance.now() - startMs < PATIENCE_MS) {
    await new Promise((resolve) => setRealTimeout(resolve, 10));
  }
  const left = handles.list();
  handles.stop();
  expect(left, 'left open by this test file').toEqual([]);
});
