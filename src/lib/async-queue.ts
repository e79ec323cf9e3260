/** Values pushed on one side and iterated, once, on the other. */
export interface AsyncQueue<T> extends AsyncIterable<T> {
  /** False when the queue is over its limit: the value is dropped and the iteration ends with an error. */
  push(value: T): boolean;
  /** Ends the iteration after what is queued. */
  end(): void;
}

/** Makes a queue of at most `limit` waiting values: a reader that is slower than that is cut off, not fed from memory. */
export function createAsyncQueue<T>(limit: number): AsyncQueue<T> {
  const values: T[] = [];
  let isEnded = false;
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  const close = (error?: Error): void => {
    isEnded = true;
    failure ??= error;
    wake();
  };
  return {
    push(value) {
      if (isEnded) return false;
      if (values.length >= limit) {
        close(new Error('reader is too slow'));
        return false;
      }
      values.push(value);
      wake();
      return true;
    },
    end() {
      close();
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const value = values.shift();
          if (value !== undefined) yield value;
          else if (failure) throw failure;
          else if (isEnded) return;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        close();
      }
    },
  };
}
