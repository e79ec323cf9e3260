const MAX_DRIFT_NS = 50_000_000n;

/**
 * Nanoseconds since the epoch, strictly growing within the process: no two events or log chunks share a time.
 * It follows the system's clock when that is set, as far as growing allows.
 */
export function createClock(): () => bigint {
  const wallNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
  let offsetNs = wallNs() - process.hrtime.bigint();
  let lastNs = 0n;
  return () => {
    const wall = wallNs();
    let now = process.hrtime.bigint() + offsetNs;
    const drift = now > wall ? now - wall : wall - now;
    if (drift > MAX_DRIFT_NS) {
      offsetNs += wall - now;
      now = wall;
    }
    lastNs = now > lastNs ? now : lastNs + 1n;
    return lastNs;
  };
}

/** RFC 3339 with nine digits of fraction and `Z`, Docker's form of a time. */
export function formatTimeNs(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${(timeNs % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}
