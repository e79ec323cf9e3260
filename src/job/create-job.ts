import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createImageArchives } from '../archive/read-images.ts';
import type { Settings } from '../config/schema.ts';
import { encodeRuncOptions } from '../containerd/runc-options.ts';
import type { JobRuntime, JobStore } from '../containerd/job-store.ts';
import { messageOf } from '../errors.ts';
import { makeInitLayer } from '../engine/containers/init-layer.ts';
import type { Job } from '../engine/job.ts';
import { ensureDefaultProfile, readAppArmorProfiles } from '../host/apparmor.ts';
import { listHostDevices } from '../host/devices.ts';
import { createMeter } from '../host/meter.ts';
import { createNamespacePins } from '../host/namespace-pins.ts';
import { createProcessSignals } from '../host/process-signals.ts';
import { createRuntimeCalls } from '../host/runtime-calls.ts';
import { readRuntimeVersion } from '../host/runtime-version.ts';
import { createSharedMemory } from '../host/shared-memory.ts';
import type { HostFacts } from '../host/types.ts';
import { createFairLimiter } from '../lib/fair-limiter.ts';
import { createLimiter } from '../lib/limiter.ts';
import { once } from '../lib/once.ts';
import { createTaskTracker } from '../lib/task-tracker.ts';
import type { Logger } from '../logger.ts';
import { createLogStore } from '../logstore/log-store.ts';
import type { JobNetwork } from '../network/types.ts';
import type { Budget } from '../policy/gate-context.ts';
import { createRegistry } from '../registry/create-registry.ts';
import { createBindAccess } from '../rootfs/bind-access.ts';
import { createBuildFiles } from '../rootfs/build-files.ts';
import { createFileSystemTrust } from '../rootfs/file-system-trust.ts';
import type { Guard } from '../rootfs/guarded-files.ts';
import { createLookUpProcesses } from '../rootfs/look-up-processes.ts';
import { createRootfsAccess } from '../rootfs/rootfs-access.ts';
import type { BuildCache } from '../state/build-cache.ts';
import { createCacheMounts } from '../state/cache-mounts.ts';
import { createAuditLog } from '../state/audit-log.ts';
import { createContainerStore } from '../state/container-store.ts';
import { createEventLog } from '../state/event-log.ts';
import type { ImageCache } from '../state/image-cache.ts';
import { createImageStore } from '../state/image-store.ts';
import { openJobContainerStore } from '../state/job-container-store.ts';
import { createPullLog } from '../state/pull-log.ts';
import { openVolumeFiles } from '../state/volume-files.ts';
import { openVolumeStore, type VolumeStore } from '../state/volume-store.ts';
import { createStdioFactory } from '../stdio/stdio-factory.ts';
import type { JobNames } from './job-names.ts';
import { createLazyBuildkit, createLazyRemoteBuilder } from './lazy-buildkit.ts';
import type { HostTools } from './remove-traces.ts';

/** How many health checks start or run at once: an exec costs a good part of a processor's second. */
const PARALLEL_PROBES = 8;
/** One container is to leave places to the others, also where the start of its execs hangs. */
const EXEC_STARTS = { ofAll: 8, ofKey: 4, patienceMs: 5_000 };
const PARALLEL_DELETIONS = 8;
const PARALLEL_TOPS = 2;
const MIN_SEGMENT_BYTES = 64 * 1024;

/** What a job is put together from. */
export interface JobParts {
  readonly settings: Settings;
  readonly names: JobNames;
  readonly log: Logger;
  readonly host: HostTools;
  readonly containerd: JobRuntime;
  readonly store: JobStore;
  readonly network: JobNetwork;
  readonly facts: HostFacts;
  readonly hostWarnings: readonly string[];
  readonly budget: Budget;
  readonly cache: ImageCache;
  readonly buildCache: BuildCache;
  readonly leaseId: string;
  readonly signal: AbortSignal;
  readonly nowNs: () => bigint;
}

/** Without the default profile containers run all the same, and each start says so. */
async function findProfiles({ facts, host, log }: JobParts): Promise<readonly string[]> {
  if (!facts.hasAppArmor) return [];
  try {
    return await ensureDefaultProfile(host.processes);
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'default AppArmor profile not loaded');
    return readAppArmorProfiles();
  }
}

/** A log keeps its newest file whatever happens: so small that all of them stay below what all may have. */
function segmentBytesFor({ logMaxBytes, limits }: Settings): number {
  const fairBytes = limits.logBytes / (2 * limits.containers);
  return Math.ceil(Math.max(MIN_SEGMENT_BYTES, Math.min(logMaxBytes / 16, fairBytes)));
}

async function openVolumes({ names, settings, host }: JobParts): Promise<VolumeStore> {
  const files = await openVolumeFiles(join(names.paths.stateDir, 'volumes'), host.trees);
  return openVolumeStore(files, settings.limits.volumes);
}

/** Puts a job together from its parts. */
export async function createJob(parts: JobParts): Promise<Job> {
  const { settings, names, host } = parts;
  const log = parts.log.child({ job: names.jobId });
  const reportFailure = (name: string, error: unknown): void => {
    log.error({ err: error, task: name }, 'background work failed');
  };
  return {
    ...parts,
    id: names.jobId,
    namespace: names.namespace,
    daemonId: createHash('sha256').update(names.namespace).digest('hex').slice(0, 32),
    host: parts.facts,
    appArmorProfiles: await findProfiles(parts),
    processes: host.processes,
    trees: host.trees,
    runtimeCalls: createRuntimeCalls(host.processes),
    runtimeVersion: once(() => readRuntimeVersion(host.processes)),
    ...sharedParts(parts),
    listDevices: () => listHostDevices(),
    paths: names.paths,
    log,
    // runc's default is one directory for every containerd of the host, where another root's job could collide.
    runtimeOptions: await encodeRuncOptions({ root: join(names.paths.runDir, 'runc') }),
    initLayer: once(() => makeInitLayer({ ...parts, key: `${names.namespace}-init` })),
    registry: createRegistry(settings),
    archives: createImageArchives(),
    stdio: createStdioFactory({
      directory: join(names.paths.runDir, 'io'),
      libc: host.libc,
      processes: host.processes,
      onError: reportFailure,
    }),
    logs: createLogStore({
      directoryOf: (id) => join(names.paths.stateDir, 'containers', id, 'log'),
      maxBytes: settings.logMaxBytes,
      maxTotalBytes: settings.limits.logBytes,
      segmentBytes: segmentBytesFor(settings),
      now: parts.nowNs,
    }),
    ...(await fileParts(parts)),
    ...buildParts(parts, reportFailure),
    jobContainer: await openJobContainerStore(join(names.paths.stateDir, 'job-container.json')),
    containers: createContainerStore(),
    execs: new Map(),
    imageUsers: new Map(),
    pulls: createPullLog(),
    images: createImageStore(parts.store.images),
    volumes: await openVolumes(parts),
    events: createEventLog(parts.nowNs),
    audit: createAuditLog({ file: join(names.paths.runDir, 'audit.jsonl'), jobId: names.jobId, log }),
    ...createLimiters(),
    meter: createMeter(host.cgroups),
    tasks: createTaskTracker(reportFailure),
    cgroupPath: names.cgroupPath,
  };
}

/** berth's program, once more: beside `src/` and beside the chunks of the bundle it is at the same place. */
const PROGRAM = fileURLToPath(new URL('../../bin/berth', import.meta.url));

/** What reaches the processes of containers, and what containers have of each other. */
function sharedParts({
  names: { paths },
  host: { libc },
}: JobParts): Pick<Job, 'signals' | 'namespacePins' | 'sharedMemory'> {
  return {
    signals: createProcessSignals(libc),
    namespacePins: createNamespacePins({ libc, directory: join(paths.runDir, 'ns') }),
    sharedMemory: createSharedMemory({ libc, directory: join(paths.runDir, 'shm') }),
  };
}

/** What looks into files of the job. */
async function fileParts(parts: JobParts): Promise<Pick<Job, 'rootfs' | 'binds'>> {
  const { settings, names, host } = parts;
  const { libc, mounts } = host;
  const guard = await createGuard(parts);
  return {
    rootfs: createRootfsAccess({ libc, mounts, guard }),
    binds: await createBindAccess({
      libc,
      mounts,
      guard,
      directory: join(names.paths.stateDir, 'binds'),
      workspaces: settings.workspaces,
      ownDirectories: [settings.root, settings.runDir],
      socketPath: names.paths.socket,
    }),
  };
}

async function createGuard({ settings, names, host }: JobParts): Promise<Guard> {
  return {
    trust: await createFileSystemTrust(host.mounts, {
      own: [settings.root, settings.runDir],
      given: settings.workspaces,
    }),
    processes: createLookUpProcesses({
      start: () =>
        host.processes.startCompanion([process.execPath, '--', PROGRAM, 'look-up', String(process.pid)]),
    }),
    directory: join(names.paths.runDir, 'm'),
  };
}

/** What not all may do at once. */
function createLimiters(): Pick<Job, 'probes' | 'execStarts' | 'deletions' | 'tops'> {
  return {
    probes: createLimiter(PARALLEL_PROBES),
    execStarts: createFairLimiter(EXEC_STARTS),
    deletions: createLimiter(PARALLEL_DELETIONS),
    tops: createLimiter(PARALLEL_TOPS),
  };
}

/** One for all jobs of an owner; without one, the job's own. */
function cacheMountsDirectory({ root, cacheScope = '' }: Settings, stateDir: string): string {
  if (cacheScope === '') return join(stateDir, 'cache-mounts');
  return join(root, 'cache-mounts', createHash('sha256').update(cacheScope).digest('hex'));
}

/** What only builds use. */
function buildParts(
  { names, host, settings }: JobParts,
  reportFailure: (name: string, error: unknown) => void,
): Pick<Job, 'buildFiles' | 'cacheMounts' | 'buildkit' | 'remoteBuilder'> {
  return {
    buildFiles: createBuildFiles(host.libc),
    cacheMounts: createCacheMounts({
      root: cacheMountsDirectory(settings, names.paths.stateDir),
      privateRoot: names.paths.stateDir,
      libc: host.libc,
      trees: host.trees,
    }),
    buildkit: createLazyBuildkit({
      directory: names.paths.runDir,
      reportFailure: (error) => {
        reportFailure('build', error);
      },
    }),
    remoteBuilder:
      settings.buildkitd === undefined
        ? undefined
        : createLazyRemoteBuilder({ socketPath: settings.buildkitd, directory: names.paths.runDir }),
  };
}
