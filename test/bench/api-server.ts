// The embedded API server as a program of its own, which counts what each of its clients asks for.
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { argoKinds } from '../../src/api/argocd/kinds.ts';
import { customResourceDefinition } from '../../src/api/crd.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createLogger } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startApiServer } from '../../src/sandbox/apiserver/server.ts';
import type { ApiServerMessage, RequestCounts } from './embedded-cluster.ts';
import { requestName } from './request-name.ts';

const counts: RequestCounts = {};

subscribe('http.server.request.start', (message) => {
  const { request } = message as { request: IncomingMessage }; // the channel's documented shape
  const client = (counts[request.headers['user-agent'] ?? ''] ??= {});
  const name = requestName(request.method ?? '', request.url ?? '');
  client[name] = (client[name] ?? 0) + 1;
});

const send = (message: ApiServerMessage): void => void process.send?.(message);

const server = await startApiServer({
  clock: systemClock,
  random: systemRandom,
  log: createLogger({ level: 'info' }),
  crds: [...ownKinds, ...argoKinds].map(customResourceDefinition),
});
process.on('message', () => send({ counts }));
process.on('disconnect', () => void server.stop()); // whoever started us is gone, or has no more use for us
send({ kubeconfig: server.kubeconfig });
