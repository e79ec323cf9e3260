const LONGEST_TURN_MS = 8;

/**
 * Lets others have their turn where work that never waits has had the thread for long: the function it answers is to be
 * called, and awaited, once for each piece of work.
 */
export function createTurns(): () => Promise<void> | undefined {
  let turnEndsAt = 0;
  return () => {
    if (performance.now() < turnEndsAt) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        turnEndsAt = performance.now() + LONGEST_TURN_MS;
        resolve();
      });
    });
  };
}
