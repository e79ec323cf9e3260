/** Undo steps written beside the steps they undo: run in reverse unless `commit` was called. */
export interface CleanupStack {
  /** Adds the undo of what was just taken; `name` is what a failure of it is reported under. */
  defer(name: string, undo: () => Promise<void> | void): void;
  /** Everything taken so far is kept: `dispose` will do nothing. */
  commit(): void;
  /** Runs the undo steps, latest first; each one runs, whatever the others did. Failures go to `onError`. */
  dispose(): Promise<void>;
}

/** Makes an empty stack; `onError` gets every undo that failed (it must not throw). */
export function createCleanupStack(onError: (name: string, error: unknown) => void): CleanupStack {
  let steps: { readonly name: string; readonly undo: () => Promise<void> | void }[] = [];
  return {
    defer(name, undo) {
      steps.push({ name, undo });
    },
    commit() {
      steps = [];
    },
    async dispose() {
      const taken = steps.reverse();
      steps = [];
      for (const step of taken) {
        try {
          await step.undo();
        } catch (error) {
          onError(step.name, error);
        }
      }
    },
  };
}
