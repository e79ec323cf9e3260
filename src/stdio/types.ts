/** Which of a process's outputs; with a terminal everything is stdout. */
export type StreamName = 'stdout' | 'stderr';

/** A piece of output; `data` is only valid until the sink's promise resolves, or the call returns where it gives none. */
export interface OutputChunk {
  readonly stream: StreamName;
  readonly data: Buffer;
  /** When it was read: nanoseconds since 1970, never decreasing. */
  readonly timeNs: bigint;
}

/** Takes a process's output; a promise holds the process back. */
export interface OutputSink {
  write(chunk: OutputChunk): void | Promise<void>;
  /** No more output will come. */
  end(): void;
}

/** The standard streams of one process, ours to close. */
export interface ProcessIo {
  /** What containerd is told; empty where not wanted (no stdin; stderr with a terminal). */
  readonly paths: { readonly stdin: string; readonly stdout: string; readonly stderr: string };
  /** Adds a taker of output and answers its removal. Reading begins with the first, or with `taskCreated`. One
   *  added after end of output gets `end` at once. */
  addSink(sink: OutputSink): () => void;
  /** Resolves when the pipe has taken all; Conflict when nobody reads it any more or stdin is closed. */
  writeStdin(data: Uint8Array): Promise<void>;
  /** Closes our end of stdin; the shim's own end is closed by Tasks.closeIo. */
  closeStdin(): Promise<void>;
  /** To be called once the shim has opened its ends (for adopted streams, at once): from now on end of output can arrive. */
  taskCreated(): void;
  /** Resolves at the end of all output, when every sink has taken everything. */
  readonly drained: Promise<void>;
  /** As `drained`, but cut off after a time (a child may keep the pipe open): false when it was cut. */
  drainWithin(timeoutMs: number): Promise<boolean>;
  /** Closes everything and removes the FIFOs; `drained` resolves. */
  dispose(): Promise<void>;
}

/** Which streams a process has. */
export interface StdioOptions {
  /** Names the FIFOs' directory: a container's or an exec's id. */
  readonly id: string;
  readonly stdin: boolean;
  readonly terminal: boolean;
  /** Lets the keeper hold the outputs, so that nothing is lost if berth is killed and the process ends meanwhile. */
  readonly keep?: boolean;
}

/** Makes the standard streams of a job's processes. */
export interface StdioFactory {
  /** New FIFOs; Conflict when the id has some. */
  open(options: StdioOptions): Promise<ProcessIo>;
  /** The FIFOs that an earlier berth of this job made; NotFound when there are none. */
  adopt(options: StdioOptions): Promise<ProcessIo>;
  /** Ends the job's keeper process, if there is one; what it held is lost. */
  stopKeeper(): Promise<void>;
}
