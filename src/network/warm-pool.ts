/** Things made ahead of need. */
export interface WarmPool<T> {
  /** One that is ready, or undefined. */
  take(): T | undefined;
  /** Starts to fill the pool up, behind the caller's back. */
  refill(): void;
  /** Stops making, waits for what is being made, and answers what was not taken. */
  close(): Promise<readonly T[]>;
}

/** How a pool's things are made, and who hears of one that could not be. */
export interface WarmPoolOptions<T> {
  /** How many are kept ready. */
  readonly size: number;
  readonly make: () => Promise<T>;
  readonly onError: (error: unknown) => void;
}

/** An empty pool; until the first `refill` it makes nothing, so a job that needs none pays for none. */
export function createWarmPool<T>({ size, make, onError }: WarmPoolOptions<T>): WarmPool<T> {
  const ready: T[] = [];
  let filling: Promise<void> | undefined;
  let isClosed = false;
  // One at a time, so that filling leaves the machine to the containers that are starting.
  const fill = async (): Promise<void> => {
    try {
      while (!isClosed && ready.length < size) ready.push(await make());
    } catch (error) {
      onError(error);
    } finally {
      filling = undefined;
    }
  };
  return {
    take: () => ready.shift(),
    refill() {
      if (!isClosed && ready.length < size) filling ??= fill();
    },
    async close() {
      isClosed = true;
      await filling;
      return ready.splice(0);
    },
  };
}
