import { TransientRegistryError } from './errors.ts';

/** Watches that a transfer gets on: silence is for timeouts, this is for a trickle that never quite stops. */
export interface Pace {
  /** Throws TransientRegistryError where the other side has been too slow for too long. */
  received(bytes: number): void;
  /** Says that the next bytes are waited for: what the reader did meanwhile is not the other side's time. */
  ready(): void;
}

const PATIENCE_MS = 60_000;
const LEAST_BYTES = 64 * 1024;

/** Begins with the first wait. */
export function createPace(nowMs: () => number = () => performance.now()): Pace {
  let waitingSince = nowMs();
  let waitedMs = 0;
  let bytesSince = 0;
  return {
    received(bytes) {
      waitedMs += nowMs() - waitingSince;
      waitingSince = nowMs();
      bytesSince += bytes;
      if (waitedMs < PATIENCE_MS) return;
      if (bytesSince < LEAST_BYTES) throw new TransientRegistryError('i/o timeout');
      waitedMs = 0;
      bytesSince = 0;
    },
    ready() {
      waitingSince = nowMs();
    },
  };
}
