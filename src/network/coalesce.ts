/** One run at a time of work that always does everything: callers that ask while it runs share the next run. */
export function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  return () => {
    waiting ??= running
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        running = work();
        return running;
      });
    return waiting;
  };
}
