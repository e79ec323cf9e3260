const LONGEST_TURN_MS = 8;
/** How many of those that wait go on together: their work is some tens of microseconds each. */
const AT_ONCE = 8;

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

/**
 * As createTurns, for many at once: whoever asks while the thread's turn is over waits behind the others, and a few of them
 * go on between two looks at what else has come. A change that thousands follow does not hold up everybody else.
 */
export function createSharedTurns(): () => Promise<void> | undefined {
  const waiting: (() => void)[] = [];
  let turnEndsAt = 0;
  const serve = (): void => {
    turnEndsAt = performance.now() + LONGEST_TURN_MS;
    for (const resolve of waiting.splice(0, AT_ONCE)) resolve();
    if (waiting.length > 0) setImmediate(serve);
  };
  return () => {
    if (waiting.length === 0 && performance.now() < turnEndsAt) return undefined;
    return new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(serve);
    });
  };
}
