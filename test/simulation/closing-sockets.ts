// The sockets that this process is closing: what follows from that passes no gate.
import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { isRecord } from '../../src/kube/json.ts';

const open = new Set<Socket>();

subscribe('net.client.socket', (message) => {
  const socket = isRecord(message) ? message['socket'] : undefined;
  if (!(socket instanceof Socket)) return;
  open.add(socket);
  socket.once('close', () => open.delete(socket));
});

/**
 * Returns when the other side has closed the sockets that this side has ended; false when there were none. PostgreSQL
 * gives back what a session has locked before it closes the socket, so none of it is held any more.
 */
export const socketsClosed = async (): Promise<boolean> => {
  const closing = [...open].filter((socket) => socket.writableEnded);
  for (const socket of closing) {
    if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', resolve));
  }
  return closing.length > 0;
};
