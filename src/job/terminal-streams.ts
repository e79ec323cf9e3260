import { once } from 'node:events';
import type { ClientStreams } from '../engine/containers/connect-client.ts';

/** This process's own streams as a client of a container; `release` lets go of stdin. */
export function terminalStreams(): ClientStreams & { release(): void } {
  const gone = new AbortController();
  return {
    input: process.stdin as AsyncIterable<Buffer>,
    signal: gone.signal,
    async write(stream, data) {
      const target = process[stream];
      // The chunk's memory is used again as soon as this returns.
      if (!target.write(Buffer.from(data))) await once(target, 'drain');
    },
    release() {
      gone.abort();
      process.stdin.destroy();
    },
  };
}
