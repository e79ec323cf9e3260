import type { Deferred } from '../lib/deferred.ts';
import type { ExecRequest } from '../wire/exec-request.ts';

/** An exec instance; it lives in memory until its container goes. */
export interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecRequest;
  state:
    | { readonly status: 'created' }
    | { readonly status: 'starting' }
    | { readonly status: 'running'; readonly pid: number }
    | { readonly status: 'exited'; readonly pid: number; readonly exitCode: number };
  /** Settled when the process runs, or could not be begun. */
  readonly begun: Deferred<void>;
  /** Settled with the exit code, after the output is drained. */
  readonly exited: Deferred<number>;
}
