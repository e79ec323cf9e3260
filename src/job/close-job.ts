import { removeContainer } from '../engine/containers/remove-container.ts';
import { messageOf } from '../errors.ts';
import { forEachBounded } from '../lib/for-each-bounded.ts';
import { settlesWithin } from '../lib/settles-within.ts';
import type { Container } from '../state/container.ts';
import type { PullTotals } from '../state/pull-log.ts';
import type { AuditCounts } from '../state/audit-log.ts';
import type { OpenJob } from './open-job.ts';
import { endProcesses, removeTraces } from './remove-traces.ts';
import { withShimWatch } from './watch-shims.ts';
import { whileItAnswers } from './while-it-answers.ts';

/** How many containers are taken down at once: more would only queue at containerd. */
const PARALLEL_REMOVALS = 8;
const IDLE_MS = 8_000;

/** The last line that berth prints: what a job used, and what could not be removed. */
export interface TeardownReport {
  readonly closed: true;
  readonly job: string;
  /** Everything of the job that is still on the host; empty in a clean end. */
  readonly leaks: readonly string[];
  readonly containers: number;
  /** What was decided about what its clients asked for. */
  readonly decisions: AuditCounts;
  /** What its pulls took from the host, and from the network. */
  readonly pulls: PullTotals;
  readonly durationMs: number;
}

/** Ends a job: nobody can ask any more, then every container, network, image and directory of it goes. Idempotent steps. */
export async function closeJob(open: OpenJob): Promise<TeardownReport> {
  const { job, names } = open;
  const startedAt = Date.now();
  await open.stopListening();
  const containers = job.containers.all();
  // What is not removed here is told of below, where it cannot be removed either.
  await attempt('containers', () => removeContainers(open, containers));
  // Requests were cut above; a handler that does not come to its end must not keep the job from its own.
  if (!(await settlesWithin(job.tasks.idle(), IDLE_MS))) job.log.error('work of the job did not end in time');
  open.abort();
  // What still runs in the job's namespaces would be found there.
  await attempt('processes', () => endProcesses(names, open.host));
  const leaks = [...(await attempt('network', () => job.network.close())), ...(await closeTraces(open))];
  for (const leak of leaks) job.log.error({ leak }, 'left behind');
  return {
    closed: true,
    job: names.jobId,
    leaks,
    containers: containers.length,
    decisions: job.audit.counts(),
    pulls: job.pulls.totals(),
    durationMs: Date.now() - startedAt,
  };
}

async function removeContainers(
  { job, host, containerd }: OpenJob,
  containers: readonly Container[],
): Promise<readonly string[]> {
  const removal = withShimWatch({ processes: host.processes, containerd }, (reportProgress) =>
    forEachBounded(containers, PARALLEL_REMOVALS, async (container) => {
      if (container.isRemoving) return;
      try {
        await removeContainer(job, container, { force: true, removeVolumes: true });
      } catch (error) {
        job.log.error({ err: error, containerId: container.id }, 'container could not be removed');
      }
      reportProgress();
    }),
  );
  await whileItAnswers(containerd, removal);
  return [];
}

async function closeTraces(open: OpenJob): Promise<readonly string[]> {
  const { job, names, host } = open;
  await job.stdio.stopKeeper();
  const leaks = await attempt('traces', () => removeTraces(names, host, open.containerd));
  job.containerd.close();
  const released = await attempt('containerd', async () => {
    await open.releaseContainerd();
    return [];
  });
  open.lock.release();
  return [...leaks, ...released];
}

async function attempt(what: string, step: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await step();
  } catch (error) {
    return [`${what}: ${messageOf(error)}`];
  }
}
