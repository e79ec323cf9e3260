import type { Ctr } from './ctr.ts';
import type { Daemon, DaemonOptions } from './daemons.ts';

/** What a figure counts in. MB are 10^6 bytes; `ms CPU` is user and system time of all processes of the daemon. */
export type Unit = 'ms' | 'ms CPU' | 'CPU s/GB' | 'MB/s' | 'MiB' | 'per s';

/** What is aimed at; every bound that is given has to hold. */
export interface Goal {
  /** berth ÷ dockerd at most. */
  readonly atMost?: number;
  /** berth ÷ dockerd at least. */
  readonly atLeast?: number;
  /** berth ÷ floor at most. */
  readonly floorAtMost?: number;
  /** berth ÷ floor at least. */
  readonly floorAtLeast?: number;
  /** berth's own value at most, in the figure's unit. */
  readonly valueAtMost?: number;
}

/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  readonly goal?: Goal;
}

/** A figure with what was measured: values of the rounds, in order; none where it was not measured on that. */
export interface Measured extends Figure {
  readonly berth: readonly number[];
  readonly dockerd: readonly number[];
  readonly floor?: readonly number[];
}

/** One daemon's (or the floor's) part of a row, set up. */
export interface Session {
  /** One round: a value for each figure of the row. Throws where the work was not done as it should be. */
  round(): Promise<readonly number[]>;
  end?(): Promise<void>;
}

/** Work that is done again and again on each daemon in turn, so that a noisy neighbour hits both. */
export interface InterleavedRow {
  readonly figures: readonly Figure[];
  /** Processor time of a round, everything included that goes on behind the answers. With `bytes`, those of a round, it is per GB. */
  readonly cpu?: Figure & { readonly bytes?: number };
  /** Rounds that count; one more, that does not, comes first. */
  readonly rounds: number;
  begin(daemon: Daemon): Promise<Session>;
  /** What containerd's own client takes for the same, on berth's containerd. */
  floor?(ctr: Ctr): Promise<Session>;
}

/** Work that needs daemons of its own. */
export interface StagedRow {
  readonly figures: readonly Figure[];
  measure(stage: Stage): Promise<readonly Measured[]>;
}

export type Row = InterleavedRow | StagedRow;

/** What staged rows start things with. */
export interface Stage {
  /** Directory of the bench; gone afterwards. */
  readonly home: string;
  /** The image of the rows, as `docker save` writes it. */
  readonly image: Buffer;
  /** As many rounds, or as few as the caller of the bench has asked for. */
  atMost(rounds: number): number;
  startBerth(job: string, options?: DaemonOptions): Promise<Daemon>;
  /** undefined where no dockerd is installed. */
  startDockerd(name: string, options?: DaemonOptions): Promise<Daemon | undefined>;
}

/** How long something takes, in ms. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
