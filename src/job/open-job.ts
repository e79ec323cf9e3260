import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../config/schema.ts';
import type { Containerd } from '../containerd/types.ts';
import { recoverContainers } from '../engine/containers/recover-containers.ts';
import { restoreImages } from '../engine/images/restore-images.ts';
import type { Job } from '../engine/job.ts';
import { sweepBinds } from '../engine/mounts/sweep-binds.ts';
import { isErrorKind } from '../errors.ts';
import { createCleanupStack, type CleanupStack } from '../lib/cleanup-stack.ts';
import { createClock } from '../lib/clock.ts';
import type { Logger } from '../logger.ts';
import { checkAncestry } from './check-ancestry.ts';
import { connectJobContainerd, type JobContainerd } from './connect-job-containerd.ts';
import { createJob } from './create-job.ts';
import { openHost } from './open-host.ts';
import { lockJob, type JobLock } from './job-lock.ts';
import type { JobNames } from './job-names.ts';
import { openNetwork } from './open-network.ts';
import { readBootId, reapEarlierBoots } from './reap-orphans.ts';
import { listenForJob } from './listen-for-job.ts';
import { removeTraces, type HostTools } from './remove-traces.ts';
import { watchContainerd } from './watch-containerd.ts';

/** Lease of what a job has prepared and not yet referenced; found again after a restart. */
const LEASE_ID = 'berth-job';

/** A job that serves its socket, with the handles its end needs. */
export interface OpenJob {
  readonly job: Job;
  readonly names: JobNames;
  readonly host: HostTools;
  readonly lock: JobLock;
  /** Closes both sockets; requests in flight are cut. */
  stopListening(): Promise<void>;
  /** Ends what runs for the life of the job. */
  abort(): void;
  releaseContainerd(): Promise<void>;
}

/** What opening a job needs. */
export interface OpenJobOptions {
  readonly settings: Settings;
  readonly names: JobNames;
  readonly log: Logger;
  /** Called when the runner asks for the end over the control socket. */
  readonly onStop: () => void;
}

/** Opens a job: takes its lock, its namespaces and what an earlier process of it left, and listens last. All or nothing. */
export async function openJob(options: OpenJobOptions): Promise<OpenJob> {
  const undo = createCleanupStack((step, error) => {
    options.log.error({ err: error, step }, 'undo of job start failed');
  });
  try {
    const open = await openParts(options, undo);
    undo.commit();
    return open;
  } finally {
    await undo.dispose();
  }
}

async function openParts(options: OpenJobOptions, undo: CleanupStack): Promise<OpenJob> {
  const { settings, names, log } = options;
  const isNew = !existsSync(names.paths.stateDir);
  await makeDirectories(settings, names);
  const host = await openHost(names);
  const lock = lockJob(host.libc, names.lockFile, names.jobId);
  undo.defer('lock', () => {
    lock.release();
  });
  // What an earlier process left is not ours to throw away because this start failed.
  const removeNew = async (containerd?: Containerd): Promise<void> => {
    if (isNew) await removeTraces(names, host, containerd);
  };
  undo.defer('directories', () => removeNew());
  await writeFile(names.bootFile, await readBootId(), { mode: 0o600 });
  // The network's dozen of short programs run while containerd starts.
  const networking = openNetwork(settings, { names, host, log });
  undo.defer('network', async () => {
    await networking.catch(() => undefined);
  });
  const connected = await connectJobContainerd(settings, { namespace: names.namespace, log, host });
  undo.defer('containerd', () => disconnect(connected));
  undo.defer('traces', () => removeNew(connected.containerd));
  await openNamespace(connected.containerd, names);
  await host.cgroups.create(names.cgroupPath);
  const ending = new AbortController();
  undo.defer('background work', () => {
    ending.abort();
  });
  const job = await createJob({
    ...options,
    host,
    containerd: connected.containerd,
    network: await networking,
    leaseId: LEASE_ID,
    signal: ending.signal,
    nowNs: createClock(),
  });
  await restoreImages(job);
  await recoverContainers(job);
  await sweepBinds(job);
  const stopListening = await listenForJob(job, options.onStop);
  undo.defer('sockets', stopListening);
  void watchContainerd(job, () => connected.revive());
  job.tasks.track('reap jobs of earlier boots', reapEarlierBoots(settings, log));
  return {
    job,
    names,
    host,
    lock,
    stopListening,
    abort: () => {
      ending.abort();
    },
    releaseContainerd: () => connected.release(),
  };
}

/** Nobody but root may pass: what is in here decides what containers see. The runner mounts the socket file itself. */
async function makeDirectories(settings: Settings, { paths }: JobNames): Promise<void> {
  await checkAncestry(paths.stateDir);
  await mkdir(settings.root, { recursive: true, mode: 0o711 });
  await mkdir(settings.runDir, { recursive: true, mode: 0o711 });
  await mkdir(paths.stateDir, { recursive: true, mode: 0o700 });
  await mkdir(join(paths.stateDir, 'containers'), { recursive: true, mode: 0o700 });
  await mkdir(paths.runDir, { recursive: true, mode: 0o700 });
  await Promise.all([paths.stateDir, paths.runDir].map((path) => chmod(path, 0o700)));
}

async function openNamespace(containerd: Containerd, names: JobNames): Promise<void> {
  const exists = async (creation: Promise<unknown>): Promise<void> => {
    try {
      await creation;
    } catch (error) {
      if (!isErrorKind(error, 'Conflict')) throw error;
    }
  };
  await exists(containerd.namespaces.create({ name: names.namespace, labels: { 'berth/job': names.slug } }));
  await exists(containerd.leases.create({ id: LEASE_ID, labels: {} }));
}

async function disconnect(connected: JobContainerd): Promise<void> {
  connected.containerd.close();
  await connected.release();
}
