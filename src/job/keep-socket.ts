import { lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener } from './listen.ts';

/** What is done about a socket whose file others can reach. */
export interface KeepSocketOptions {
  readonly socketPath: string;
  /** Listens there anew; what has connected stays with the listener before. Rejects where something else is in the way. */
  readonly listenAgain: () => Promise<Listener>;
  readonly tell: (event: SocketEvent) => void;
  /** Default 1 s. */
  readonly intervalMs?: number;
}

/** `remade`: its file was gone, and is there again. `taken`: something else is there, which is left alone. */
export interface SocketEvent {
  readonly kind: 'remade' | 'taken';
  readonly error?: unknown;
}

const INTERVAL_MS = 1_000;
/** Each leaves a listener behind for those who hold the file that was there before. */
const MAX_REMADE = 16;

/**
 * Looks after the file of a socket that listens: a job may have the directory mounted, and no connection comes in by a
 * name that leads elsewhere. Stopping it closes the listeners that it has made.
 */
export function keepSocket(options: KeepSocketOptions): { stop(): Promise<void> } {
  const ending = new AbortController();
  const made: Listener[] = [];
  const done = keep(options, made, ending.signal);
  return {
    async stop() {
      ending.abort();
      await done;
      await Promise.all(made.map((listener) => listener.close()));
    },
  };
}

async function keep(options: KeepSocketOptions, made: Listener[], signal: AbortSignal): Promise<void> {
  const { socketPath, listenAgain, tell, intervalMs = INTERVAL_MS } = options;
  // At once: what happens from now on is to be seen.
  let own = identityOf(socketPath);
  let inTheWay: string | undefined;
  for (;;) {
    await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    const found = identityOf(socketPath);
    if (found === own || made.length >= MAX_REMADE) continue;
    try {
      made.push(await listenAgain());
      own = identityOf(socketPath);
      inTheWay = undefined;
      tell({ kind: 'remade' });
    } catch (error) {
      if (found !== inTheWay) tell({ kind: 'taken', error });
      inTheWay = found;
    }
  }
}

/**
 * What is at the path, and not what a link there leads to; `nothing` where it cannot be looked at. The number of a socket
 * that listens is not given to another file.
 */
function identityOf(path: string): string {
  try {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return `${String(dev)}:${String(ino)}`;
  } catch {
    return 'nothing';
  }
}
