const maxDriftNs = 50_000_000n;

/** Makes a clock of nanoseconds since 1970 that never runs backwards and follows the system's time. */
export function createClock(): () => bigint {
  const wallNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
  let offsetNs = wallNs() - process.hrtime.bigint();
  let lastNs = 0n;
  return () => {
    const wall = wallNs();
    let now = process.hrtime.bigint() + offsetNs;
    const drift = now > wall ? now - wall : wall - now;
    if (drift > maxDriftNs) {
      offsetNs += wall - now;
      now = wall;
    }
    if (now > lastNs) lastNs = now;
    return lastNs;
  };
}
