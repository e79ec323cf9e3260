import type { BuildProgress } from './build-progress.ts';

/** Takes the progress of one stage, at the pace of whoever reads it. */
export type ReportProgress = (progress: BuildProgress) => Promise<void>;

interface Lane {
  readonly waiting: BuildProgress[];
  /** Wakes those who wait for room. */
  readonly held: (() => void)[];
  isEnded: boolean;
}

const MAX_WAITING = 64;

/**
 * Stages run at the same time and are read one after the other: of the first one that goes on every word at once, of the
 * others when it is their turn. One that is far ahead waits.
 */
export class ProgressLanes {
  readonly #lanes = new Map<number, Lane>();
  #end: { readonly failure: { readonly error: unknown } | undefined } | undefined;
  #isAbandoned = false;
  #wake: () => void = () => undefined;

  /** Opens the lane of a stage; a stage that others wait for has a lower number than they. */
  open(stage: number): { readonly report: ReportProgress; close(): void } {
    const lane: Lane = { waiting: [], held: [], isEnded: false };
    this.#lanes.set(stage, lane);
    return {
      report: async (progress) => {
        if (this.#isAbandoned) return;
        // A slow reader loses counts in between, never a step.
        const isCount = progress.kind === 'pull' && progress.progress.progressDetail?.current !== undefined;
        if (isCount && lane.waiting.length >= MAX_WAITING) return;
        lane.waiting.push(progress);
        this.#wake();
        if (lane.waiting.length >= MAX_WAITING && !this.#end)
          await new Promise<void>((resolve) => {
            lane.held.push(resolve);
          });
      },
      close: () => {
        lane.isEnded = true;
        this.#wake();
      },
    };
  }

  /** No more will come; what was reported before is still read. */
  end(failure?: { readonly error: unknown }): void {
    this.#end ??= { failure };
    for (const lane of this.#lanes.values()) release(lane);
    this.#wake();
  }

  /** Nobody reads any more: what is reported is dropped, and who waits for room waits no longer. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const lane of this.#lanes.values()) {
      lane.waiting.length = 0;
      release(lane);
    }
  }

  async *read(): AsyncGenerator<BuildProgress, void, undefined> {
    for (;;) {
      const lane = this.#firstOpen();
      const progress = lane?.waiting.shift();
      if (progress) {
        if (lane) release(lane);
        yield progress;
      } else if (this.#end) {
        if (this.#end.failure) throw this.#end.failure.error;
        return;
      } else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #firstOpen(): Lane | undefined {
    const open = [...this.#lanes.entries()].filter(([, lane]) => !this.#isOver(lane));
    return open.sort(([a], [b]) => a - b)[0]?.[1];
  }

  #isOver(lane: Lane): boolean {
    return lane.waiting.length === 0 && (lane.isEnded || this.#end !== undefined);
  }
}

function release(lane: Lane): void {
  for (const wake of lane.held.splice(0)) wake();
}
