import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createByteWriter } from './byte-writer.ts';
import type { HijackedConnection } from './route.ts';

const LINGER_MS = 5_000;
const PROBE_INTERVAL_MS = 2_000;

/** A status line and headers as bytes: Node's own writer would frame what follows. */
export interface HijackAnswer {
  readonly isUpgrade: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Ends our half and waits, for a while, for the client's. Closing a unix socket with unread input makes the client's
 * next read fail, so what still comes is read and dropped.
 */
export function closeGently(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  timer.unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
  socket.once('end', () => socket.destroySoon());
  socket.end();
  if (socket.readableEnded) socket.destroySoon();
  else socket.resume();
}

/** What the client sends, apart from the socket: ending or dropping it leaves the output alone. */
function createInput(socket: Socket): Readable {
  const input = new Readable({
    read() {
      socket.resume();
    },
    destroy(error, done) {
      // Nobody reads any more, but the end of the connection must still be seen.
      socket.off('data', push).resume();
      done(error);
    },
  });
  const push = (chunk: Buffer): void => {
    if (!input.push(chunk)) socket.pause();
  };
  socket.on('data', push).resume();
  socket.once('end', () => input.push(null));
  socket.once('close', () => {
    if (!input.readableEnded) input.push(null);
  });
  input.on('error', () => undefined);
  return input;
}

/**
 * After a client's half-close, its full close is no event any more; but a write, also an empty one, fails then.
 * So a quiet stream whose client is gone is noticed within seconds.
 */
function probeAfterHalfClose(socket: Socket): void {
  socket.once('end', () => {
    const timer = setInterval(() => {
      if (!socket.writableEnded && socket.writableLength === 0) socket.write(Buffer.alloc(0));
    }, PROBE_INTERVAL_MS);
    timer.unref();
    socket.once('close', () => {
      clearInterval(timer);
    });
  });
}

function answerHead({ isUpgrade, headers }: HijackAnswer): string {
  const status = isUpgrade ? '101 UPGRADED' : '200 OK';
  const upgrade = isUpgrade ? { Connection: 'Upgrade', Upgrade: 'tcp' } : {};
  const lines = Object.entries({ ...headers, ...upgrade }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}

/**
 * Answers on a socket that Node's parser has let go of, and leaves it as it is: for a protocol that brings its own
 * implementation. HTTP/2 has to have the socket itself, since Node ends the process over a stream that is cut off.
 */
export function takeOverSocket(socket: Socket, answer: HijackAnswer): Socket {
  socket.setNoDelay(true);
  // Such protocols have no half-close: a client that ends its half, or is killed, has gone.
  socket.once('end', () => socket.destroy());
  socket.write(answerHead(answer));
  return socket;
}

/** Answers on a socket that Node's parser has let go of, and makes it a stream of raw bytes both ways. */
export function hijackSocket(socket: Socket, answer: HijackAnswer): HijackedConnection {
  socket.setNoDelay(true);
  probeAfterHalfClose(socket);
  socket.write(answerHead(answer));
  const input = createInput(socket);
  const writer = createByteWriter(socket);
  return {
    input,
    write: (...parts) => writer.write(...parts),
    async end() {
      const ended = writer.end();
      input.destroy();
      closeGently(socket);
      await ended;
    },
  };
}
