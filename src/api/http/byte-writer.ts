import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { EngineError } from '../../errors.ts';
import type { ByteWriter } from './route.ts';

function clientGone(cause: unknown): EngineError {
  return new EngineError('Cancelled', 'the client has gone', { cause });
}

/** Writes to a response or socket at its own pace; parts of one call leave together, where the system can do that. */
export function createByteWriter(target: Writable): ByteWriter {
  const waiting = new Set<() => void>();
  // A response keeps what is written between the end of its socket and its own, and never calls back for that.
  target.once('close', () => {
    for (const giveUp of waiting) giveUp();
  });
  return {
    write: (...parts) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => {
          reject(clientGone(undefined));
        };
        const last = parts.at(-1);
        if (target.destroyed || target.writableEnded) giveUp();
        else if (last === undefined) resolve();
        else {
          waiting.add(giveUp);
          target.cork();
          for (const part of parts.slice(0, -1)) target.write(part);
          target.write(last, (error) => {
            waiting.delete(giveUp);
            if (error) reject(clientGone(error));
            else resolve();
          });
          target.uncork();
        }
      }),
    async end() {
      if (target.destroyed || target.writableFinished) return;
      const closed = Promise.race([once(target, 'finish'), once(target, 'close')]);
      target.end();
      await closed.catch(() => undefined);
    },
  };
}
