/** Lets a bounded number of sections run at once; the others wait in the order of asking. */
export interface Limiter {
  run<T>(section: () => Promise<T>): Promise<T>;
}

/** Makes a limiter for `limit` sections at once. */
export function createLimiter(limit: number): Limiter {
  const waiting: (() => void)[] = [];
  let free = limit;
  const enter = async (): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  };
  const leave = (): void => {
    // The place goes straight to the next one: nobody who comes later can take it.
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return {
    async run(section) {
      await enter();
      try {
        return await section();
      } finally {
        leave();
      }
    },
  };
}
