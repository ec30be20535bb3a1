// Stands between a client and a server and cuts their connections, also in the middle of what is being sent.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy on a loopback port. */
interface CuttingProxy {
  readonly port: number;
  /** Lets this many more bytes through to clients, then cuts every connection once. */
  cutAfter(bytes: number): void;
  /** Cuts what is open, and refuses what comes, until told otherwise. */
  refuse(refusing: boolean): void;
  stop(): Promise<void>;
}

/** Starts a proxy in front of a loopback port. */
export const startCuttingProxy = async (targetPort: number): Promise<CuttingProxy> => {
  const sockets = new Set<Socket>();
  let bytesLeft = Infinity;
  let refuses = false;
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    if (refuses) {
      client.destroy();
      return;
    }
    const upstream = connect(targetPort, '127.0.0.1');
    keep(client);
    keep(upstream);
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => {
      client.write(chunk.subarray(0, bytesLeft));
      bytesLeft -= chunk.length;
      if (bytesLeft > 0) return;
      bytesLeft = Infinity;
      client.end(); // what was let through still arrives
      setImmediate(cutAll);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    cutAfter: (bytes) => void (bytesLeft = bytes),
    refuse(refusing) {
      refuses = refusing;
      if (refusing) cutAll();
    },
    async stop() {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
