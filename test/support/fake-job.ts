import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routes } from '../../src/api/routes.ts';
import { createImageArchives } from '../../src/archive/read-images.ts';
import type { Settings } from '../../src/config/schema.ts';
import { IMAGE_NAMESPACE, openJobStore } from '../../src/containerd/job-store.ts';
import type { Job } from '../../src/engine/job.ts';
import { loadLibc } from '../../src/host/libc.ts';
import { createOwnTrees, type OwnTrees } from '../../src/host/own-trees.ts';
import { createHostProcesses } from '../../src/host/processes.ts';
import type { HostFacts, Libc } from '../../src/host/types.ts';
import { createClock } from '../../src/lib/clock.ts';
import { createTaskTracker } from '../../src/lib/task-tracker.ts';
import { createLogStore } from '../../src/logstore/log-store.ts';
import { JOB_PERMISSIONS, type EndpointPermissions } from '../../src/policy/endpoint-permissions.ts';
import { createBuildFiles } from '../../src/rootfs/build-files.ts';
import { createBuildCache } from '../../src/state/build-cache.ts';
import { createCacheMounts } from '../../src/state/cache-mounts.ts';
import type { AuditEntry } from '../../src/state/audit-log.ts';
import { createContainerStore } from '../../src/state/container-store.ts';
import { createEventLog } from '../../src/state/event-log.ts';
import { createImageStore } from '../../src/state/image-store.ts';
import { createPullLog } from '../../src/state/pull-log.ts';
import { openVolumeFiles } from '../../src/state/volume-files.ts';
import { openVolumeStore, type VolumeStore } from '../../src/state/volume-store.ts';
import { createStdioFactory } from '../../src/stdio/stdio-factory.ts';
import type { StdioFactory } from '../../src/stdio/types.ts';
import { createApiClient, type ApiClient } from './api-client.ts';
import { DEFAULT_LIMITS, startContractApp, type ContractApp } from './contract-app.ts';
import { directoriesAsRoots, makeRoot } from './fake-rootfs.ts';
import { createFakeBinds, createFakeJobContainerStore } from './fake-binds.ts';
import { createFakeContainerd, type FakeContainerd } from './fake-containerd.ts';
import { fakeRegistry } from './fake-registry.ts';
import { fakeLimits } from './fake-limits.ts';
import { createFakeSharing } from './fake-sharing.ts';
import { createFakeNetwork, type FakeNetwork } from './fake-network.ts';
import { dockerArchive } from './image-builder-archives.ts';
import { buildImage, hostArchitecture, type LayerEntry } from './image-builder.ts';
import { createNoCache } from './no-cache.ts';
import { partOf } from './records.ts';
import { recordingAudit } from './silent-audit.ts';
import { budgetOf } from './gate-fixtures.ts';
import { SPEC_HOST } from './spec-fixtures.ts';

/** A whole job on fakes: real engine, real HTTP, real FIFOs and logs; only containerd, network and registries are made up. */
export interface FakeJob {
  readonly app: ContractApp;
  readonly job: Job;
  readonly api: ApiClient;
  readonly containerd: FakeContainerd;
  readonly network: FakeNetwork;
  /** What was written down of decisions, oldest first. */
  readonly decisions: readonly AuditEntry[];
  /** Opens and closes endpoints from now on. */
  setPermissions(api: EndpointPermissions): void;
  /** Calls that the registry client received. */
  registryCalls(): number;
  /** Failures of work behind answered requests. */
  readonly failures: readonly string[];
  /** Directory that stands for a container's root; made with an etc/passwd when first asked for. */
  rootOf(containerId: string): Promise<string>;
  /** Removes every container and waits until nothing goes on behind the answers. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** What differs from a Linux host with a closed gate. */
export interface FakeJobOptions {
  readonly settings?: Partial<Settings>;
  readonly host?: Partial<HostFacts>;
}

const FACTS: Partial<HostFacts> = {
  ...SPEC_HOST,
  limits: { ...SPEC_HOST.limits, kernelMemoryTcp: false },
  architecture: hostArchitecture(),
  hostname: 'machine',
};
const PROGRAM: LayerEntry = { path: 'program', type: 'file', content: 'x', mode: 0o755 };

/** Starts a job that has the image `app:latest`; its processes run until a signal unless a program is set. */
export async function startFakeJob(options: FakeJobOptions = {}): Promise<FakeJob> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-fake-job-'));
  const fakes = {
    containerd: createFakeContainerd(),
    network: createFakeNetwork(),
    registry: fakeRegistry(),
  };
  const failures: string[] = [];
  const decisions: AuditEntry[] = [];
  let permissions = JOB_PERMISSIONS;
  const ending = new AbortController();
  const parts = await makeParts({
    directory,
    options,
    fakes,
    failures,
    signal: ending.signal,
    permissions: () => permissions,
    decisions,
  });
  const app = await startContractApp(routes, parts);
  const api = createApiClient(app.socketPath);
  const { job } = app;
  const clear = async (): Promise<void> => {
    for (const { id } of job.containers.all()) await api.delete(`/containers/${id}?force=1&v=1`);
    await job.tasks.idle();
  };
  await loadApp(api);
  return {
    app,
    job,
    api,
    ...fakes,
    failures,
    decisions,
    setPermissions(api) {
      permissions = api;
    },
    registryCalls: fakes.registry.calls,
    rootOf: (containerId) => makeRoot(directory, containerId),
    clear,
    async close() {
      permissions = JOB_PERMISSIONS;
      fakes.containerd.setDown(false);
      await clear();
      ending.abort();
      await app.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** Names of what this process has open, one for each descriptor. */
export async function countOpenFiles(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

interface PartsOptions {
  readonly directory: string;
  readonly options: FakeJobOptions;
  readonly fakes: {
    readonly containerd: FakeContainerd;
    readonly network: FakeNetwork;
    readonly registry: Pick<ReturnType<typeof fakeRegistry>, 'registry'>;
  };
  readonly failures: string[];
  readonly signal: AbortSignal;
  readonly permissions: () => EndpointPermissions;
  readonly decisions: AuditEntry[];
}

async function makeParts(wanted: PartsOptions): Promise<Partial<Job>> {
  const { directory, fakes, failures, signal } = wanted;
  const { containerd } = fakes.containerd;
  const [stateDir, runDir] = [join(directory, 'state'), join(directory, 'run')];
  await mkdir(join(stateDir, 'containers'), { recursive: true });
  const libc = await loadLibc();
  const trees = createOwnTrees(libc);
  const nowNs = createClock();
  const containers = createContainerStore();
  const leaseId = 'berth-job';
  const store = openJobStore(containerd.inNamespace(IMAGE_NAMESPACE), 'fake');
  await store.leases.create({ id: leaseId });
  const report = (name: string, error: unknown): void => void failures.push(`${name}: ${String(error)}`);
  return {
    id: 'fake',
    namespace: containerd.namespace,
    daemonId: 'fake',
    settings: settingsOf(wanted),
    host: partOf<HostFacts>({ ...FACTS, ...wanted.options.host }),
    budget: budgetOf({ ...SPEC_HOST, ...wanted.options.host }),
    hostWarnings: [],
    appArmorProfiles: [],
    listDevices: () => Promise.resolve([]),
    processes: createHostProcesses(),
    // Numbers of made-up processes are other processes' here.
    signals: { send: () => false },
    ...createFakeSharing(),
    paths: { stateDir, runDir, socket: '', controlSocket: '' },
    containerd,
    store,
    leaseId,
    initLayer: () => Promise.resolve(''),
    runtimeOptions: { typeUrl: 'fake', value: new Uint8Array() },
    registry: fakes.registry.registry,
    archives: createImageArchives(),
    network: fakes.network.network,
    stdio: withoutKeeper(libc, join(runDir, 'io'), report),
    logs: createLogStore({ directoryOf: (id) => join(stateDir, 'containers', id, 'log'), now: nowNs }),
    rootfs: directoriesAsRoots(libc, directory, containers),
    buildFiles: createBuildFiles(libc),
    remoteBuilder: undefined,
    buildCache: createBuildCache(Date.now),
    trees,
    cacheMounts: createCacheMounts({
      root: stateDir,
      privateRoot: stateDir,
      libc: { flock: () => true },
      trees,
    }),
    binds: createFakeBinds(),
    jobContainer: createFakeJobContainerStore(),
    containers,
    execs: new Map(),
    imageUsers: new Map(),
    images: createImageStore(store.images),
    cache: createNoCache(),
    pulls: createPullLog(),
    volumes: await openVolumes(stateDir, trees, wanted.options),
    audit: recordingAudit(wanted.decisions),
    events: createEventLog(nowNs),
    ...fakeLimits,
    tasks: createTaskTracker(report),
    signal,
    nowNs,
    cgroupPath: '/fake',
  };
}

function settingsOf({ directory, options: { settings }, permissions }: PartsOptions): Settings {
  return partOf<Settings>({
    ...{ root: directory, runDir: directory },
    hostPlatform: 'linux',
    allowPrivileged: undefined,
    neutralise: [],
    fence: undefined,
    insecureRegistries: [],
    snapshotter: 'overlayfs',
    initPath: '/fake/init',
    logLevel: 'info',
    limits: DEFAULT_LIMITS,
    buildCacheBytes: 20 * 1024 ** 3,
    workspaces: [],
    get api() {
      return permissions();
    },
    ...settings,
  });
}

async function openVolumes(
  stateDir: string,
  trees: OwnTrees,
  { settings }: FakeJobOptions,
): Promise<VolumeStore> {
  return openVolumeStore(await openVolumeFiles(join(stateDir, 'volumes'), trees), settings?.limits?.volumes);
}

/** The real FIFOs, but without the process that holds them over a crash: these jobs have none. */
function withoutKeeper(
  libc: Libc,
  directory: string,
  onError: (name: string, error: unknown) => void,
): StdioFactory {
  const factory = createStdioFactory({ directory, libc, processes: createHostProcesses(), onError });
  return { ...factory, open: (wanted) => factory.open({ ...wanted, keep: false }) };
}

async function loadApp(api: ApiClient): Promise<void> {
  const image = await buildImage({ base: 'scratch', layers: [[PROGRAM]], cmd: ['/program'] });
  const archive = await dockerArchive([{ image, tags: ['app:latest'] }]);
  const connection = await api.open('POST', '/images/load?quiet=1', {
    headers: { 'Content-Type': 'application/x-tar', 'Content-Length': String(archive.length) },
  });
  connection.send(archive);
  const { status, body } = await connection.readResponse();
  connection.close();
  if (status !== 200) throw new Error(`image was not loaded: ${body.toString()}`);
}
