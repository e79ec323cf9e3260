import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Serves the requests of each connection one after the other. */
export interface RequestTurns {
  readonly onRequest: RequestListener;
  /** True while a request of the connection has no whole answer yet. */
  isTaken(socket: Socket): boolean;
}

type Turn = readonly [request: IncomingMessage, response: ServerResponse];

/** Requests that may wait, those of all connections together; 64 KiB bring more than two thousand of them. */
const MAX_WAITING = 4096;

/**
 * As Go's server, and for the same reason: Node begins everything that a client sends ahead at once, so a single
 * connection could ask for thousands of answers to be made together. Between two of them everybody else has a turn.
 * Where too many wait, the connection of the last is cut.
 */
export function createRequestTurns(serve: RequestListener): RequestTurns {
  const queues = new WeakMap<Socket, Turn[]>();
  let waiting = 0;
  const begin = (queue: Turn[], [request, response]: Turn): void => {
    const { socket } = request;
    if (socket.destroyed) {
      waiting -= queue.length;
      queues.delete(socket);
      return;
    }
    response.once('close', () => {
      const next = queue.shift();
      if (next) {
        waiting -= 1;
        setImmediate(begin, queue, next);
      } else queues.delete(socket);
    });
    serve(request, response);
  };
  return {
    isTaken: (socket) => queues.has(socket),
    onRequest(request, response) {
      const { socket } = request;
      if (socket.destroyed) return;
      const queue = queues.get(socket);
      if (!queue) {
        const fresh: Turn[] = [];
        queues.set(socket, fresh);
        begin(fresh, [request, response]);
      } else if (waiting >= MAX_WAITING) socket.destroy();
      else {
        queue.push([request, response]);
        waiting += 1;
      }
    },
  };
}
