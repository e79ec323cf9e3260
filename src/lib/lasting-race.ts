/**
 * Races many promises, one after another, with an end that comes once. Promise.race would keep something of each of them,
 * and their values, for as long as the end does not come.
 */
export interface LastingRace<E> {
  /** Settles like the promise, or as the end did, whichever comes first. */
  run: <T>(promise: Promise<T>) => Promise<T | E>;
  /** The end: what runs, and what will run, is resolved with the value. Only the first end counts. */
  win: (value: E) => void;
  /** The end: what runs, and what will run, is rejected. */
  lose: (error: unknown) => void;
}

interface Runner<E> {
  readonly resolve: (value: E) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes a race whose end has not come. */
export function createLastingRace<E = never>(): LastingRace<E> {
  const running = new Set<Runner<E>>();
  let end: ((runner: Runner<E>) => void) | undefined;
  const finish = (tell: (runner: Runner<E>) => void): void => {
    end ??= tell;
    for (const runner of running) end(runner);
    running.clear();
  };
  return {
    run: <T>(promise: Promise<T>) =>
      new Promise<T | E>((resolve, reject) => {
        const runner = { resolve, reject };
        if (end) end(runner);
        else running.add(runner);
        void promise.then(resolve, reject).finally(() => running.delete(runner));
      }),
    win: (value) => {
      finish(({ resolve }) => {
        resolve(value);
      });
    },
    lose: (error) => {
      finish(({ reject }) => {
        reject(error);
      });
    },
  };
}
