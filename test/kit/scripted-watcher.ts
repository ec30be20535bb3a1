// A watcher of Secrets on a server that the test plays, on a clock that the test moves.
import { createKubeClient } from '../../src/kube/http-client.ts';
import { secrets, type Secret } from '../../src/kube/object.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { createWatcher, type WatcherOptions } from '../../src/runtime/watcher.ts';
import { capturedLog } from './captured-log.ts';
import { eventually } from './eventually.ts';
import { startScriptedWatch, type ScriptedStream, type ScriptedWatch } from './scripted-watch.ts';
import { createVirtualClock } from './virtual-clock.ts';

/** A Secret of namespace `team`. */
export const secret = (name: string, resourceVersion: string, uid = `uid-${name}`): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'team', uid, resourceVersion },
});

/** Creates the watcher, not started yet. `prepare` tells the server what to answer. */
export const createScriptedWatcher = async (
  options: Partial<WatcherOptions<Secret>> = {},
  prepare?: (script: ScriptedWatch) => void,
) => {
  const script = await startScriptedWatch();
  prepare?.(script);
  const clock = createVirtualClock();
  const random = seededRandom(1);
  const metrics = createMetrics();
  const { log, lines } = capturedLog();
  const access = { server: script.server.url };
  const client = createKubeClient({ access, clock, random, gate: openGate, log, metrics });
  const watcher = createWatcher<Secret>({ client, resource: secrets, clock, random, log, metrics, ...options });
  const stop = async (): Promise<void> => {
    await watcher.stop();
    client.close();
    await script.server.stop();
  };
  const changes: string[] = [];
  watcher.store.subscribe(({ type, object: { metadata } }) =>
    changes.push(
      `${type} ${metadata.name}@${metadata.resourceVersion}${metadata.uid?.includes('other') ? ' other' : ''}`,
    ),
  );
  const stream = (nth: number): Promise<ScriptedStream> => eventually(`stream ${nth}`, () => script.streams[nth]);
  /** Lets the backoff pass, once there is one, and returns its length. */
  const waitOut = async (): Promise<number> => {
    await eventually('a backoff', () => watcher.state === 'waiting' && clock.pending === 1);
    const waitMs = clock.nextInMs ?? 0;
    await clock.advance(waitMs);
    return waitMs;
  };
  const logged = (level: string): unknown[] =>
    lines.filter((line) => line['level'] === level).map((line) => line['msg']);
  return { script, clock, watcher, changes, stream, waitOut, logged, lines, metrics, client, stop };
};
