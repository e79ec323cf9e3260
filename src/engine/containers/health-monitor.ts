import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { runProbe } from './health-probe.ts';
import { beginHealth, judgeResult, nextIntervalMs, probeOf, type HealthProbe } from './health-state.ts';

/** setTimeout's limit. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/** Begins to probe a container that has just started; one without a probe has no health. */
export function startHealthChecks(job: Job, container: Container): void {
  container.health = probeOf(container.record.config) ? beginHealth(container.health) : undefined;
  resumeHealthChecks(job, container);
}

/** Goes on probing after a pause. */
export function resumeHealthChecks(job: Job, container: Container): void {
  const probe = probeOf(container.record.config);
  if (!probe || container.healthMonitor) return;
  const monitor = new AbortController();
  container.healthMonitor = monitor;
  job.tasks.track('health checks', probeUntil(job, container, { probe, signal: monitor.signal }));
}

/** Probes no more; what is not probed counts as unhealthy, as in dockerd. */
export function stopHealthChecks(container: Container): void {
  if (!container.healthMonitor) return;
  container.healthMonitor.abort();
  container.healthMonitor = undefined;
  if (container.health) container.health = { ...container.health, status: 'unhealthy' };
}

interface Probing {
  readonly probe: HealthProbe;
  readonly signal: AbortSignal;
}

async function probeUntil(job: Job, container: Container, probing: Probing): Promise<void> {
  while (await waitForTurn(container, probing)) {
    const beganMs = sinceStartMs(container);
    const result = await job.probes.run(() => runProbe(job, container, probing));
    if (probing.signal.aborted || !container.health) return;
    const before = container.health.status;
    container.health = judgeResult(container.health, result, { probe: probing.probe, sinceStartMs: beganMs });
    const { status } = container.health;
    if (status !== before) emitContainerEvent(job, container, { action: `health_status: ${status}` });
  }
}

/** False when the probing is over. */
async function waitForTurn(container: Container, { probe, signal }: Probing): Promise<boolean> {
  if (!container.health) return false;
  const waitMs = nextIntervalMs(container.health, probe, sinceStartMs(container));
  await sleep(Math.min(waitMs, MAX_WAIT_MS), undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

function sinceStartMs({ record: { state } }: Container): number {
  return state.status === 'running' ? Date.now() - Date.parse(state.startedAt) : 0;
}
