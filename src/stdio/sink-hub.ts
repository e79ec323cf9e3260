import type { OutputSink, StreamName } from './types.ts';

/** Hands each piece of output to every sink. */
export interface SinkHub {
  /** As ProcessIo.addSink. */
  add(sink: OutputSink): () => void;
  /** A promise where some sink wants to be waited for. */
  deliver(stream: StreamName, data: Buffer): Promise<void> | undefined;
  /** Tells every sink that no more comes. */
  end(): void;
}

/** What a hub needs; `onError` hears of each sink that failed and was removed. */
export interface SinkHubOptions {
  readonly now: () => bigint;
  readonly onError: (name: string, error: unknown) => void;
}

interface Entry {
  readonly sink: OutputSink;
  /** Whoever waits for this sink: a sink that is removed must not hold the process back. */
  readonly waiting: Set<() => void>;
}

/** Makes a hub without sinks. */
export function createSinkHub({ now, onError }: SinkHubOptions): SinkHub {
  const entries = new Set<Entry>();
  let isEnded = false;
  const drop = (entry: Entry): void => {
    entries.delete(entry);
    for (const release of entry.waiting) release();
    entry.waiting.clear();
  };
  const fail = (entry: Entry, error: unknown): void => {
    drop(entry);
    onError('output sink', error);
  };
  const attempt = (entry: Entry, action: () => void): void => {
    try {
      action();
    } catch (error) {
      fail(entry, error);
    }
  };
  const waitFor = (entry: Entry, written: Promise<void>): Promise<void> =>
    new Promise((resolve) => {
      entry.waiting.add(resolve);
      written.then(
        () => {
          entry.waiting.delete(resolve);
          resolve();
        },
        (error: unknown) => fail(entry, error),
      );
    });
  return {
    add(sink) {
      const entry: Entry = { sink, waiting: new Set() };
      if (isEnded) attempt(entry, () => sink.end());
      else entries.add(entry);
      return () => drop(entry);
    },
    deliver(stream, data) {
      const timeNs = now();
      const waits: Promise<void>[] = [];
      for (const entry of entries) {
        attempt(entry, () => {
          const written = entry.sink.write({ stream, data, timeNs });
          if (written) waits.push(waitFor(entry, written));
        });
      }
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
    end() {
      isEnded = true;
      for (const entry of entries) attempt(entry, () => entry.sink.end());
      entries.clear();
    },
  };
}
