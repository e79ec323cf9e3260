import type { Container, HealthState } from '../../state/container.ts';
import type { ContainerInspectState, ContainerStatus, Health } from '../../wire/container-inspect.ts';

/** What Go's zero time looks like to clients: something that has not happened. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** The one word of a container's state. */
export function statusOf(container: Container): ContainerStatus {
  const { state } = container.record;
  if (state.status === 'running') return state.isPaused ? 'paused' : 'running';
  if (state.status === 'restarting') return state.status;
  return container.isRemoving ? 'removing' : state.status;
}

/** `State` as inspect shows it. */
export function describeState(container: Container): ContainerInspectState {
  const { health } = container;
  return { ...describeLife(container), ...(health ? { Health: describeHealth(health) } : {}) };
}

function describeHealth({ status, failingStreak, log }: HealthState): Health {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function describeLife(container: Container): ContainerInspectState {
  const { state } = container.record;
  const base = {
    Status: statusOf(container),
    Running: false,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 0,
    ExitCode: 0,
    Error: '',
    StartedAt: ZERO_TIME,
    FinishedAt: ZERO_TIME,
  };
  switch (state.status) {
    case 'created':
      return { ...base, ExitCode: state.lastExitCode, Error: state.lastError };
    case 'running':
      return {
        ...base,
        Running: true,
        Paused: state.isPaused,
        OOMKilled: (container.run?.oomKills ?? 0) > 0,
        Pid: state.pid,
        StartedAt: state.startedAt,
        FinishedAt: state.lastFinishedAt ?? ZERO_TIME,
      };
    case 'restarting':
    case 'exited':
    case 'dead':
      return {
        ...base,
        // To dockerd a container between two runs is a running one.
        Running: state.status === 'restarting',
        Restarting: state.status === 'restarting',
        OOMKilled: state.isOomKilled,
        Dead: state.status === 'dead',
        ExitCode: state.exitCode,
        Error: state.error,
        StartedAt: state.startedAt,
        FinishedAt: state.finishedAt,
      };
  }
}

/** A span of time as `docker ps` words it: the coarsest unit that still says something. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(ms / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(hours / 24);
  if (hours < 24 * 7 * 2) return `${days} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(days / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(ms / 3_600_000 / 24 / 365)} years`;
}

function remark({ health }: Container, isPaused: boolean): string {
  if (isPaused) return ' (Paused)';
  if (!health) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}

/** `Status` of the list: the state in words, with its age. */
export function describeStatus(container: Container, nowMs: number): string {
  const { state } = container.record;
  const since = (time: string): string => humanDuration(nowMs - Date.parse(time));
  if (state.status === 'running') return `Up ${since(state.startedAt)}${remark(container, state.isPaused)}`;
  if (state.status === 'restarting') return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
  if (container.isRemoving) return 'Removal In Progress';
  if (state.status === 'dead') return 'Dead';
  if (state.status === 'created') return 'Created';
  return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
}
