import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../config/schema.ts';
import { EngineError, messageOf } from '../errors.ts';
import { errnoCode } from '../host/errors.ts';
import type { Logger } from '../logger.ts';
import { connectJobContainerd } from './connect-job-containerd.ts';
import { readBootId } from './boot-id.ts';
import { tryLockJob } from './job-lock.ts';
import { jobNames } from './job-names.ts';
import { openHost } from './open-host.ts';
import { removeTraces } from './remove-traces.ts';

/** What `berth gc` found of one job. */
export interface ReapedJob {
  readonly job: string;
  /** `live`: somebody serves it, nothing was touched. */
  readonly outcome: 'removed' | 'live' | 'failed';
  /** What could not be removed. */
  readonly leaks: readonly string[];
}

/** Removes every trace of jobs that nobody serves any more. Idempotent; live jobs are left alone. */
export async function reapOrphans(settings: Settings, log: Logger): Promise<readonly ReapedJob[]> {
  const reaped: ReapedJob[] = [];
  for (const jobId of await findJobs(settings)) reaped.push(await reapJob(settings, jobId, log));
  return reaped;
}

/** The state directory is the last thing a teardown removes: where any trace of a job is, it is there too. */
async function findJobs(settings: Settings): Promise<readonly string[]> {
  return (await directoriesIn(join(settings.root, 'jobs'))).toSorted();
}

/**
 * What every start does for its neighbours: a job of an earlier boot has no process left that anybody could take over,
 * so its traces go. Crashed jobs of this boot are left to a restart with their id, or to `berth gc`.
 */
export async function reapEarlierBoots(settings: Settings, log: Logger): Promise<void> {
  const bootId = await readBootId();
  for (const jobId of await findJobs(settings)) {
    const { bootFile } = jobNames(settings, jobId);
    const written = await readFile(bootFile, 'utf8').catch(() => bootId);
    if (written === bootId) continue;
    const { outcome, leaks } = await reapJob(settings, jobId, log);
    log.info({ orphan: jobId, outcome, leaks }, 'removed a job of an earlier boot');
  }
}

async function directoriesIn(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw new EngineError('Internal', `cannot look for jobs: ${messageOf(error)}`, { cause: error });
  }
}

async function reapJob(settings: Settings, jobId: string, log: Logger): Promise<ReapedJob> {
  try {
    const names = jobNames(settings, jobId);
    const host = await openHost(names);
    const lock = tryLockJob(host.libc, names.lockFile);
    if (!lock) return { job: jobId, outcome: 'live', leaks: [] };
    try {
      const connected = await connectJobContainerd(settings, { namespace: names.namespace, log, host });
      try {
        const leaks = await removeTraces(names, host, connected.containerd);
        return { job: jobId, outcome: leaks.length === 0 ? 'removed' : 'failed', leaks };
      } finally {
        connected.containerd.close();
        await connected.release();
      }
    } finally {
      lock.release();
    }
  } catch (error) {
    return { job: jobId, outcome: 'failed', leaks: [messageOf(error)] };
  }
}
