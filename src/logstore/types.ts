import type { OutputChunk, StreamName } from '../stdio/types.ts';

/** Takes a container's output; readers see it within milliseconds. */
export interface LogWriter {
  /** A promise means: wait, the disk is behind. The chunk's data is copied before the call returns. */
  write(chunk: OutputChunk): void | Promise<void>;
  /** Writes out what is buffered; followers end when they have read it. */
  close(): Promise<void>;
}

/** What of a log to read. */
export interface LogReadOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Go on until the writer closes. */
  readonly follow: boolean;
  /** Put the time of its beginning before each line. */
  readonly timestamps: boolean;
  /** Put these attributes of the container and a blank before each line; undefined for neither. */
  readonly details?: string | undefined;
  /** Last lines of the streams asked for; a partial last line is one. */
  readonly tail: number | 'all';
  /** Lines that began at or after this time. */
  readonly sinceNs: bigint | undefined;
  /** Lines that began at or before this time. */
  readonly untilNs: bigint | undefined;
}

/** A piece of a log as `docker logs` sends it; `data` is only valid until the next one is asked for. */
export interface LogFrame {
  readonly stream: StreamName;
  readonly data: Buffer;
}

/** The logs of a job's containers. */
export interface LogStore {
  /** Opens for appending (one writer at a time: Conflict), and mends what a crash left half written. */
  openWriter(id: string): Promise<LogWriter>;
  /** Counts a log that nobody writes (any more) towards the limit of all logs. */
  count(id: string): Promise<void>;
  /** An absent log reads as an empty one; an aborted signal ends the iteration without an error. */
  read(id: string, options: LogReadOptions, signal: AbortSignal): AsyncIterable<LogFrame>;
  /** Removes the log; followers end. */
  remove(id: string): Promise<void>;
}
