import { createAsyncQueue } from '../lib/async-queue.ts';

/** One Docker event before it is shaped for an API version. */
export interface JobEvent {
  readonly type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder';
  readonly action: string;
  /** Id of the container, name of the image, id of the network, name of the volume. */
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint;
}

/** The job's events: the newest are remembered, subscribers get what comes. */
export interface EventLog {
  emit(event: Omit<JobEvent, 'timeNs'>): void;
  /** Remembered events, oldest first. */
  recent(): readonly JobEvent[];
  /** New events from now on until the signal; a reader more than 4096 events behind is cut off with an error. */
  subscribe(signal: AbortSignal): AsyncIterable<JobEvent>;
}

const REMEMBERED_EVENTS = 1024;
const MAX_BEHIND = 4096;

/** Makes an empty log; `nowNs` gives strictly growing nanoseconds since the epoch. */
export function createEventLog(nowNs: () => bigint): EventLog {
  const remembered: JobEvent[] = [];
  const subscribers = new Set<(event: JobEvent) => void>();
  return {
    emit(event) {
      const stamped = { ...event, timeNs: nowNs() };
      remembered.push(stamped);
      if (remembered.length > REMEMBERED_EVENTS) remembered.shift();
      for (const notify of subscribers) notify(stamped);
    },
    recent: () => [...remembered],
    subscribe(signal) {
      const queue = createAsyncQueue<JobEvent>(MAX_BEHIND);
      const notify = (event: JobEvent): void => {
        if (!queue.push(event)) subscribers.delete(notify);
      };
      subscribers.add(notify);
      const stop = (): void => {
        subscribers.delete(notify);
        queue.end();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      return queue;
    },
  };
}
