import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { EngineError } from '../../errors.ts';
import type { HijackedConnection } from './route.ts';

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const LINGER_MS = 5_000;
const NORMAL_CLOSURE = 1000;

/** How output is sent: API versions below 1.28 had it as text. */
export type MessageType = 'binary' | 'text';

/** Shakes hands with a WebSocket client (RFC 6455). InvalidArgument, with nothing sent yet, where it is none. */
function shakeHands(request: IncomingMessage, socket: Socket): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  return new Promise((resolve, reject) => {
    server.on('wsClientError', (error) => {
      reject(new EngineError('InvalidArgument', error.message, { cause: error }));
    });
    server.handleUpgrade(request, socket, Buffer.alloc(0), resolve);
  });
}

/** What the client sends, at the pace of its reader; it ends when the client closes. */
function createInput(client: WebSocket): Readable {
  const input = new Readable({
    read() {
      client.resume();
    },
    destroy(error, done) {
      // Nobody reads any more, but the client's close must still be seen.
      client.off('message', push);
      client.resume();
      done(error);
    },
  });
  const push = (message: Buffer): void => {
    if (!input.push(message)) client.pause();
  };
  client.on('message', push);
  client.once('close', () => {
    input.push(null);
  });
  // A frame that is none, or too large: the library closes the connection and says why.
  client.on('error', () => undefined);
  input.on('error', () => undefined);
  return input;
}

/** Makes a connection of a WebSocket client's request; each piece that is written is one message. */
export async function acceptWebSocket(
  request: IncomingMessage,
  socket: Socket,
  type: MessageType,
): Promise<HijackedConnection> {
  const client = await shakeHands(request, socket);
  const closed = new Promise<void>((resolve) => {
    client.once('close', () => {
      resolve();
    });
  });
  const input = createInput(client);
  return {
    input,
    write: (...parts) =>
      new Promise((resolve, reject) => {
        client.send(Buffer.concat(parts), { binary: type === 'binary' }, (error) => {
          if (error) reject(new EngineError('Cancelled', 'the client has gone', { cause: error }));
          else resolve();
        });
      }),
    async end() {
      const timer = setTimeout(() => {
        client.terminate();
      }, LINGER_MS);
      input.destroy();
      client.close(NORMAL_CLOSURE);
      await closed;
      clearTimeout(timer);
    },
  };
}
