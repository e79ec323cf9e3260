import { setTimeout as sleep } from 'node:timers/promises';
import { formatTimeNs } from '../../lib/clock.ts';
import type { Container } from '../../state/container.ts';
import type { ContainerStats } from '../../wire/container-stats.ts';
import type { Job } from '../job.ts';
import { containerCgroup } from './container-paths.ts';
import { emptyStats, shapeStats, type StatsSample } from './stats-shape.ts';

const INTERVAL_MS = 1000;

/** How `GET /containers/{id}/stats` asks. */
export interface StatsOptions {
  /** One answer per second, until the container is gone or the client leaves. */
  readonly stream: boolean;
  /** Without a stream: do not wait for a second sample to tell the processor's load. */
  readonly oneShot: boolean;
  readonly signal: AbortSignal;
}

/** What the container uses, as it is asked for; NotFound at once for an unknown one. */
export function statsContainer(
  job: Job,
  containerRef: string,
  options: StatsOptions,
): AsyncIterable<ContainerStats> {
  const container = job.containers.resolve(containerRef);
  return options.stream ? streamStats(job, container, options.signal) : oneStats(job, container, options);
}

async function* streamStats(
  job: Job,
  container: Container,
  signal: AbortSignal,
): AsyncGenerator<ContainerStats> {
  const gone = new AbortController();
  void container.removed.promise.then(() => {
    gone.abort();
  });
  const end = AbortSignal.any([signal, gone.signal]);
  let before: StatsSample | undefined;
  while (!end.aborted) {
    const sample = await readSample(job, container);
    yield sample ? shapeStats(container, sample, before) : emptyStats(container);
    before = sample;
    await sleep(INTERVAL_MS, undefined, { signal: end }).catch(() => undefined);
  }
}

async function* oneStats(
  job: Job,
  container: Container,
  { oneShot, signal }: StatsOptions,
): AsyncGenerator<ContainerStats> {
  const first = await readSample(job, container);
  if (!first) {
    yield emptyStats(container);
    return;
  }
  if (oneShot) {
    yield shapeStats(container, first, undefined);
    return;
  }
  await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  const second = await readSample(job, container);
  yield second ? shapeStats(container, second, first) : emptyStats(container);
}

/** Undefined where nothing runs. */
async function readSample(job: Job, container: Container): Promise<StatsSample | undefined> {
  const { state, hostConfig } = container.record;
  if (state.status !== 'running') return undefined;
  const [cgroup, processors, interfaces] = await Promise.all([
    job.meter.cgroup(containerCgroup(job, container.record)),
    job.meter.processors(),
    // What is not the container's own is not told.
    hostConfig.NetworkMode === 'host' ? undefined : job.meter.interfaces(state.pid),
  ]);
  // The pid may have become another process's while it was looked at.
  const isSame = container.run !== undefined && container.record.state === state;
  if (!cgroup || !isSame) return undefined;
  return {
    readAt: formatTimeNs(job.nowNs()),
    cgroup,
    processors,
    interfaces: interfaces && Object.keys(interfaces).length > 0 ? interfaces : undefined,
    machineMemoryBytes: job.budget.memoryBytes,
  };
}
