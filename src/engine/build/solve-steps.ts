import { createHash } from 'node:crypto';
import type { ReportSolve, SolveStep } from '../../buildkit/types.ts';
import { messageOf } from '../../errors.ts';
import type { BuildProgress } from './build-progress.ts';

/** A step on its way, of which only the end is still to be told. */
export interface RunningStep {
  log(bytes: Uint8Array, isError: boolean): Promise<void>;
  end(outcome: { readonly isCached?: boolean; readonly error?: unknown }): Promise<void>;
}

/** Tells a build's progress as BuildKit's clients show it: steps that begin, write and end. */
export class SolveSteps {
  readonly #ref: string;
  readonly #report: ReportSolve;
  #count = 0;
  #current: RunningStep | undefined;
  #isCached = false;

  constructor(ref: string, report: ReportSolve) {
    this.#ref = ref;
    this.#report = report;
  }

  /** Begins a step of the given name. */
  async begin(name: string): Promise<RunningStep> {
    this.#count += 1;
    const digest = `sha256:${createHash('sha256').update(`${this.#ref} ${this.#count}`).digest('hex')}`;
    const step: SolveStep = {
      digest,
      name,
      inputs: [],
      isCached: false,
      startedAt: Date.now(),
      completedAt: undefined,
      error: '',
    };
    await this.#report({ kind: 'step', step });
    return {
      log: (bytes, isError) => this.#report({ kind: 'log', digest, isError, bytes }),
      end: ({ isCached = false, error }) => {
        const words = error === undefined ? '' : messageOf(error);
        return this.#report({
          kind: 'step',
          step: { ...step, isCached, completedAt: Date.now(), error: words },
        });
      },
    };
  }

  /** Takes the builder's progress, in its order. */
  async take(progress: BuildProgress): Promise<void> {
    if (progress.kind === 'step') {
      await this.#endCurrent(undefined);
      const { number, total, source } = progress.step;
      this.#current = await this.begin(`[${number}/${total}] ${source}`);
    } else if (progress.kind === 'cached') this.#isCached = true;
    else if (progress.kind === 'output')
      await this.#current?.log(progress.data, progress.stream === 'stderr');
    else if (progress.kind === 'note') await this.#note(progress);
    else if (progress.kind === 'done') await this.#endCurrent(undefined);
  }

  /** Tells of what has no effect, as steps of their own: logs that belong to no step are shown by no client. */
  async warn(warnings: readonly string[]): Promise<void> {
    for (const warning of warnings) await (await this.begin(`[Warning] ${warning}`)).end({});
  }

  /** The build failed: so did the step that was on its way. */
  async fail(error: unknown): Promise<void> {
    await this.#endCurrent(error);
  }

  async #note({ text, isWarning }: BuildProgress & { readonly kind: 'note' }): Promise<void> {
    if (this.#current) await this.#current.log(Buffer.from(text), isWarning);
    else await this.warn([text.trim().replace(/^\[warning\]:? */i, '')]);
  }

  async #endCurrent(error: unknown): Promise<void> {
    const [step, isCached] = [this.#current, this.#isCached];
    this.#current = undefined;
    this.#isCached = false;
    await step?.end({ isCached, error });
  }
}
