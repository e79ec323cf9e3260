import type { ContainerConfig } from '../../wire/container-config.ts';
import type { HealthResult, HealthState } from '../../state/container.ts';

const MAX_RESULTS = 5;
const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_START_INTERVAL_MS = 5_000;
const DEFAULT_RETRIES = 3;
const NS_PER_MS = 1e6;

/** How a container is probed: dockerd's defaults filled in. */
export interface HealthProbe {
  readonly argv: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

/** The container's probe; undefined where it has none. */
export function probeOf({ Healthcheck: health, Shell: shell }: ContainerConfig): HealthProbe | undefined {
  const argv = commandOf(health?.Test ?? [], shell ?? []);
  if (!health || !argv) return undefined;
  const ms = (durationNs: number | undefined, fallback: number): number =>
    durationNs === undefined || durationNs === 0 ? fallback : durationNs / NS_PER_MS;
  const retries = health.Retries ?? 0;
  return {
    argv,
    intervalMs: ms(health.Interval, DEFAULT_INTERVAL_MS),
    timeoutMs: ms(health.Timeout, DEFAULT_TIMEOUT_MS),
    startPeriodMs: ms(health.StartPeriod, 0),
    startIntervalMs: ms(health.StartInterval, DEFAULT_START_INTERVAL_MS),
    retries: retries > 0 ? retries : DEFAULT_RETRIES,
  };
}

function commandOf(test: readonly string[], shell: readonly string[]): readonly string[] | undefined {
  const [kind, ...argv] = test;
  if (argv.length === 0) return undefined;
  if (kind === 'CMD') return argv;
  if (kind === 'CMD-SHELL') return [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), ...argv];
  return undefined;
}

/** The health of a container that starts: the results of an earlier run stay to be seen. */
export function beginHealth(before: HealthState | undefined): HealthState {
  return { status: 'starting', failingStreak: 0, log: before?.log ?? [] };
}

/** The health after one more result; `sinceStartMs` is when its probe began. */
export function judgeResult(
  health: HealthState,
  result: HealthResult,
  { probe, sinceStartMs }: { readonly probe: HealthProbe; readonly sinceStartMs: number },
): HealthState {
  const log = [...health.log, result].slice(-MAX_RESULTS);
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  // What has never been healthy may fail for as long as it is starting.
  if (health.status === 'starting' && sinceStartMs < probe.startPeriodMs) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= probe.retries ? 'unhealthy' : health.status, failingStreak, log };
}

/** How long to wait before the next probe: shorter while the container is in its start period. */
export function nextIntervalMs(health: HealthState, probe: HealthProbe, sinceStartMs: number): number {
  const isStarting = health.status === 'starting' && sinceStartMs < probe.startPeriodMs;
  return isStarting ? probe.startIntervalMs : probe.intervalMs;
}
