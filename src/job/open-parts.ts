import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { createApp } from '../api/app.ts';
import { routes } from '../api/routes.ts';
import { IMAGE_NAMESPACE, openJobStore, type JobStore } from '../containerd/job-store.ts';
import type { Containerd } from '../containerd/types.ts';
import type { Job } from '../engine/job.ts';
import { sweepBuilds } from '../engine/build/sweep-builds.ts';
import { recoverContainers } from '../engine/containers/recover-containers.ts';
import { restoreImages } from '../engine/images/restore-images.ts';
import { sweepBinds } from '../engine/mounts/sweep-binds.ts';
import { isErrorKind } from '../errors.ts';
import type { CleanupStack } from '../lib/cleanup-stack.ts';
import { createClock } from '../lib/clock.ts';
import { connectJobContainerd, type JobContainerd } from './connect-job-containerd.ts';
import { createJob } from './create-job.ts';
import type { DockerAddress } from './environment.ts';
import type { FrontDoor } from './front-door.ts';
import type { JobLock } from './job-lock.ts';
import type { JobNames } from './job-names.ts';
import { listenForRunner } from './listen-for-runner.ts';
import type { OpenJob, OpenJobOptions } from './open-job.ts';
import { openCaches } from './open-caches.ts';
import { adviseOnContainerd, openMachine } from './open-machine.ts';
import { openNetwork } from './open-network.ts';
import { reapEarlierBoots } from './reap-orphans.ts';
import { removeTraces, type HostTools } from './remove-traces.ts';
import { requireSnapshotter } from './require-snapshotter.ts';
import { watchContainerd } from './watch-containerd.ts';

/** Lease of the files of the job's containers; found again after a restart. */
const LEASE_ID = 'berth-job';

/** What the parts of a job are opened with: all that could be had before berth's code was loaded. */
export interface OpenPartsOptions extends OpenJobOptions {
  readonly host: HostTools;
  readonly lock: JobLock;
  readonly door: FrontDoor;
  /** False where an earlier process has left the job's state. */
  readonly isNew: boolean;
}

/** Opens what a job is made of, and lets the door's requests in last. */
export async function openParts(options: OpenPartsOptions, undo: CleanupStack): Promise<OpenJob> {
  const { settings, names, log, host, lock, door } = options;
  const machine = await openMachine(options);
  undo.defer('self-test', async () => {
    await machine.weaknesses.catch(() => undefined);
  });
  // The network's dozen of short programs run while containerd starts.
  const networking = openNetwork(settings, { names, host, log });
  undo.defer('network', async () => {
    await networking.catch(() => undefined);
  });
  const connected = await connectJobContainerd(settings, { namespace: names.namespace, log, host });
  undo.defer('containerd', () => disconnect(connected));
  undo.defer('traces', async () => {
    if (options.isNew) await removeTraces(names, host, connected.containerd);
  });
  const store = await openNamespaces(connected.containerd, names);
  await requireSnapshotter(connected.containerd, store.withLease(LEASE_ID).snapshots);
  const ending = createEnding();
  undo.defer('background work', () => {
    ending.abort();
  });
  const job = await createJob({
    ...options,
    host,
    containerd: connected.containerd,
    store,
    ...openCaches({ settings, log, ...connected }),
    network: await networking,
    ...machine,
    hostWarnings: [...(await machine.weaknesses), ...(await adviseOnContainerd(connected.containerd, log))],
    leaseId: LEASE_ID,
    signal: ending.signal,
    nowNs: createClock(),
  });
  await takeOver(job, options);
  const control = await listenForRunner(job, options.onStop);
  undo.defer('control socket', () => control.close());
  await job.binds.stageSocket();
  const address = await openRemotely(options);
  door.open(createApp({ job, routes }));
  void watchContainerd(job, () => connected.revive());
  job.tasks.track('reap jobs of earlier boots', reapEarlierBoots(settings, log));
  return {
    job,
    address,
    names,
    host,
    lock,
    containerd: connected.containerd,
    stopListening: async () => {
      await Promise.all([door.close(), control.close()]);
    },
    abort: () => {
      ending.abort();
    },
    releaseContainerd: () => connected.release(),
  };
}

/** What an earlier process of the job left: what its clients know goes on, what it was in the midst of goes. */
async function takeOver(job: Job, { isNew }: { readonly isNew: boolean }): Promise<void> {
  await restoreImages(job);
  await recoverContainers(job);
  if (!isNew) await sweepBuilds(job);
  await sweepBinds(job);
}

/** Told of by one listener for each stream and task of the job: their number is no mistake. */
function createEnding(): AbortController {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  return ending;
}

/** How the job's clients reach it: by the socket, unless the operator has it serve the network. */
async function openRemotely({ settings, names, host, door }: OpenPartsOptions): Promise<DockerAddress> {
  const { listen } = settings;
  if (!listen) return { kind: 'unix', path: names.paths.socket };
  const { makeCertificates } = await import('../host/certificates.ts');
  const directory = join(names.paths.runDir, 'tls');
  const certificates = await makeCertificates(host.processes, { directory, address: listen.host });
  const port = await door.listenRemotely(listen, certificates);
  return { kind: 'tcp', host: listen.host, port, certPath: certificates.clientDirectory };
}

/** The job's own namespace, and its part of the one that layers are in. */
async function openNamespaces(containerd: Containerd, names: JobNames): Promise<JobStore> {
  const exists = async (creation: Promise<unknown>): Promise<void> => {
    try {
      await creation;
    } catch (error) {
      if (!isErrorKind(error, 'Conflict')) throw error;
    }
  };
  await exists(containerd.namespaces.create({ name: names.namespace, labels: { 'berth/job': names.slug } }));
  const store = openJobStore(containerd.inNamespace(IMAGE_NAMESPACE), names.slug);
  await exists(store.leases.create({ id: LEASE_ID, labels: {} }));
  return store;
}

async function disconnect(connected: JobContainerd): Promise<void> {
  connected.containerd.close();
  await connected.release();
}
