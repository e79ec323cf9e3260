/** Where a record is, or where the next one will be. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

/** What readers and the writer of one log share inside this process. */
export interface LiveLog {
  /** End of what has been written; undefined while nothing is known but the files. */
  end: LogPosition | undefined;
  /** Bytes of records that the writer has taken, and how many of them are in files. */
  takenBytes: number;
  writtenBytes: number;
  /** False once no more will be written. */
  isOpen: boolean;
  /** Readers that wait for more. */
  readonly waiters: Set<() => void>;
}

/** A log with neither reader nor writer. */
export function newLiveLog(isOpen: boolean): LiveLog {
  return { end: undefined, takenBytes: 0, writtenBytes: 0, isOpen, waiters: new Set() };
}

/** Resolves when readers can see what the writer has taken so far: who has seen a line finds it in the log. */
export async function waitUntilWritten(log: LiveLog, signal: AbortSignal): Promise<void> {
  const { takenBytes } = log;
  // A writer that fails lowers what it has taken.
  while (log.isOpen && !signal.aborted && log.writtenBytes < Math.min(takenBytes, log.takenBytes))
    await waitForChange(log, signal, undefined);
}

/** Wakes every reader that waits. */
export function wakeReaders(log: LiveLog): void {
  for (const wake of [...log.waiters]) wake();
}

/** Resolves at the next change of the log, when the signal aborts, or after a time. */
export function waitForChange(
  log: LiveLog,
  signal: AbortSignal,
  timeoutMs: number | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => wake(), Math.min(timeoutMs, 2 ** 31 - 1));
    const wake = (): void => {
      clearTimeout(timer);
      log.waiters.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    if (signal.aborted) {
      wake();
      return;
    }
    log.waiters.add(wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}

/** True when `a` lies before `b`. */
export function isBefore(a: LogPosition, b: LogPosition): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}
