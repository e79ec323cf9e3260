import type { RestartPolicy } from '../../wire/host-config.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** A run this long counts as a success: the next restart comes quickly again. */
const LONG_RUN_MS = 10_000;

/** What a restart policy looks at when a container has ended. */
export interface EndedRun {
  readonly exitCode: number;
  readonly ranMs: number;
  /** A user asked it to end. */
  readonly isStopRequested: boolean;
  /** Restarts since a user started it. */
  readonly restartCount: number;
  /** How long the last restart waited, 0 for none. */
  readonly lastDelayMs: number;
}

/** How long to wait before the container is started again, with dockerd's back-off; undefined: it stays down. */
export function restartDelayMs(policy: RestartPolicy, ended: EndedRun): number | undefined {
  if (ended.isStopRequested || !isWanted(policy, ended)) return undefined;
  const lastDelayMs = ended.ranMs >= LONG_RUN_MS ? 0 : ended.lastDelayMs;
  return lastDelayMs === 0 ? FIRST_DELAY_MS : Math.min(lastDelayMs * 2, LONGEST_DELAY_MS);
}

/** True for a policy that may start a container again. */
export function hasRestarts({ Name: name }: RestartPolicy): boolean {
  return name === 'always' || name === 'unless-stopped' || name === 'on-failure';
}

function isWanted(policy: RestartPolicy, { exitCode, restartCount }: EndedRun): boolean {
  if (policy.Name !== 'on-failure') return hasRestarts(policy);
  const { MaximumRetryCount: most } = policy;
  return exitCode !== 0 && (most === 0 || restartCount < most);
}
