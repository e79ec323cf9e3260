import type { Containerd } from '../containerd/types.ts';
import type { HostProcesses } from '../host/types.ts';
import { endShims } from './end-shims.ts';

/** How long nothing may have got on; a removal takes a second on a busy machine. */
const STUCK_MS = 15_000;

/**
 * Does what ends containers. A shim that does not answer (it is stopped, or waits for the kernel) holds up each call of
 * containerd about it for ever: where nothing is reported for 15 s, the namespace's shims are ended, and the calls with them.
 */
export async function withShimWatch<T>(
  {
    processes,
    containerd,
    stuckMs = STUCK_MS,
  }: {
    readonly processes: HostProcesses;
    readonly containerd: Pick<Containerd, 'address' | 'namespace'>;
    readonly stuckMs?: number;
  },
  work: (reportProgress: () => void) => Promise<T>,
): Promise<T> {
  let ending = Promise.resolve();
  const timer = setTimeout(() => {
    ending = endShims(processes, containerd);
    // Told of when the work is over.
    ending.catch(() => undefined);
  }, stuckMs);
  try {
    return await work(() => void timer.refresh());
  } finally {
    clearTimeout(timer);
    await ending;
  }
}
