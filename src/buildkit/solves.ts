import { EngineError } from '../errors.ts';
import { createDeferred, type Deferred } from '../lib/deferred.ts';
import type { SolveRequest as ControlSolveRequest } from './generated/control.ts';
import type { ReportSolve, SolveProgress } from './types.ts';

/** A build that clients follow, from the first call that names it to the end of its status. */
export interface Solve {
  /** Settled when `Control.Solve` has come. */
  readonly asked: Deferred<ControlSolveRequest>;
  /** What `Control.Solve` answers. */
  readonly answer: Deferred<Readonly<Record<string, string>>>;
  /** What came of a build that its client drives through the gateway. */
  result: Readonly<Record<string, string>> | undefined;
  /** What was told so far, for who asks late. */
  readonly told: SolveProgress[];
  toldBytes: number;
  readonly listeners: Set<ReportSolve>;
}

/** The builds of a job that clients know, by their own names for them. */
export interface Solves {
  /** Finds or begins a build; Unavailable where there are too many. */
  get(ref: string): Solve;
  /** Resolves when all who follow the build have taken it. */
  tell(solve: Solve, progress: SolveProgress): Promise<void>;
  /** Forgets a build that has ended, when its status has been told. */
  end(ref: string): void;
}

const MAX_SOLVES = 64;
/** More output than this is not kept for a status that nobody has asked for yet. */
const MAX_TOLD = 10_000;
const MAX_TOLD_BYTES = 4 * 1024 * 1024;
/** How long a status may come after the answer. */
const KEPT_MS = 10_000;

/** Clients that were killed may have asked for the status of builds that then never came. */
function dropUnasked(solves: Map<string, Solve>): void {
  for (const [ref, { asked, answer }] of solves) {
    if (asked.isSettled) continue;
    const error = new EngineError('NotFound', `no such build: ${ref}`);
    asked.reject(error);
    answer.reject(error);
    solves.delete(ref);
  }
}

/** An empty list of builds. */
export function createSolves(): Solves {
  const solves = new Map<string, Solve>();
  return {
    get(ref) {
      const known = solves.get(ref);
      if (known) return known;
      if (solves.size >= MAX_SOLVES) dropUnasked(solves);
      if (solves.size >= MAX_SOLVES) throw new EngineError('Unavailable', 'too many builds at once');
      const solve: Solve = {
        asked: createDeferred(),
        answer: createDeferred(),
        result: undefined,
        told: [],
        toldBytes: 0,
        listeners: new Set(),
      };
      solves.set(ref, solve);
      return solve;
    },
    async tell(solve, progress) {
      const { told, listeners } = solve;
      const bytes = progress.kind === 'log' ? progress.bytes.length : 0;
      if (told.length < MAX_TOLD && solve.toldBytes + bytes <= MAX_TOLD_BYTES) {
        told.push(progress);
        solve.toldBytes += bytes;
      }
      await Promise.all([...listeners].map((listener) => listener(progress)));
    },
    end(ref) {
      setTimeout(() => solves.delete(ref), KEPT_MS).unref();
    },
  };
}
