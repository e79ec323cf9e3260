/** Work that goes on behind an answered request, so that the end of the job can wait for it. */
export interface TaskTracker {
  /** Follows the promise; its failure is given to `onError`, never thrown. */
  track(name: string, work: Promise<unknown>): void;
  /** Resolves once nothing followed is left, including what was added while waiting. */
  idle(): Promise<void>;
}

/** Makes an empty tracker; `onError` reports work that failed. */
export function createTaskTracker(onError: (name: string, error: unknown) => void): TaskTracker {
  const running = new Set<Promise<void>>();
  return {
    track(name, work) {
      const followed = work.then(
        () => undefined,
        (error: unknown) => {
          onError(name, error);
        },
      );
      running.add(followed);
      void followed.then(() => running.delete(followed));
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
