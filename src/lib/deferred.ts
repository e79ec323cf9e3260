/** A promise that somebody else settles. A rejection nobody awaits is not an unhandled one. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly isSettled: boolean;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Makes an unsettled Deferred; settling it a second time changes nothing. */
export function createDeferred<T>(): Deferred<T> {
  let resolvePromise: (value: T) => void = () => undefined;
  let rejectPromise: (error: unknown) => void = () => undefined;
  let isSettled = false;
  const promise = new Promise<T>((resolve, reject) => {
    resolvePromise = resolve;
    rejectPromise = reject;
  });
  promise.catch(() => undefined);
  return {
    promise,
    get isSettled() {
      return isSettled;
    },
    resolve(value) {
      isSettled = true;
      resolvePromise(value);
    },
    reject(error) {
      isSettled = true;
      rejectPromise(error);
    },
  };
}
