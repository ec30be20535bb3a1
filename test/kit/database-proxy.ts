// Stands between a pool and PostgreSQL, so that a test can lose the connection at the worst moment.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A proxy on a loopback port. */
interface DatabaseProxy {
  /** The database's URL, by way of the proxy. */
  readonly url: string;
  /** Cuts the connection that next sends this text, after PostgreSQL has got it and before its answer arrives. */
  cutAfter(text: string): void;
  /** Holds back what either side sends, as a network does that has gone away without a word. */
  hold(): void;
  /** Refuses connections, or takes them again; those there are get cut. */
  refuse(refusing: boolean): void;
}

/** Runs with a proxy in front of the database that the URL names. */
export const withDatabaseProxy = async (
  databaseUrl: string,
  run: (proxy: DatabaseProxy) => Promise<void>,
): Promise<void> => {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let fatal: string | undefined;
  let refusing = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    keep(upstream);
    let silent = false;
    client.on('data', (chunk) => {
      upstream.write(chunk);
      if (fatal === undefined || !chunk.includes(fatal)) return;
      fatal = undefined;
      silent = true;
    });
    upstream.on('data', (chunk) => (silent ? client.destroy() : client.write(chunk)));
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port); // it listens on TCP
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  const proxy: DatabaseProxy = {
    url: url.href,
    cutAfter: (text) => void (fatal = text),
    hold: () => sockets.forEach((socket) => socket.pause()),
    refuse(now) {
      refusing = now;
      cutAll();
    },
  };
  try {
    await run(proxy);
  } finally {
    cutAll();
    await new Promise((resolve) => server.close(resolve));
  }
};
