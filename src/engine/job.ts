import type { ImageArchives } from '../archive/types.ts';
import type { BuildkitFront, RemoteBuilder } from '../buildkit/types.ts';
import type { Settings } from '../config/schema.ts';
import type { JobRuntime, JobStore } from '../containerd/job-store.ts';
import type { Any } from '../containerd/types.ts';
import type { HostDevice } from '../host/devices.ts';
import type { Meter } from '../host/meter.ts';
import type { NamespacePins } from '../host/namespace-pins.ts';
import type { OwnTrees } from '../host/own-trees.ts';
import type { RuntimeVersion } from '../host/runtime-version.ts';
import type { SharedMemory } from '../host/shared-memory.ts';
import type { HostFacts, HostProcesses, ProcessSignals, RuntimeCalls } from '../host/types.ts';
import type { FairLimiter } from '../lib/fair-limiter.ts';
import type { Limiter } from '../lib/limiter.ts';
import type { TaskTracker } from '../lib/task-tracker.ts';
import type { Logger } from '../logger.ts';
import type { LogStore } from '../logstore/types.ts';
import type { JobNetwork } from '../network/types.ts';
import type { Registry } from '../registry/types.ts';
import type { Budget } from '../policy/gate-context.ts';
import type { BindAccess } from '../rootfs/types-binds.ts';
import type { BuildFiles } from '../rootfs/types-build.ts';
import type { RootfsAccess } from '../rootfs/types.ts';
import type { BuildCache } from '../state/build-cache.ts';
import type { CacheMounts } from '../state/cache-mounts.ts';
import type { AuditLog } from '../state/audit-log.ts';
import type { ContainerStore } from '../state/container-store.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Exec } from '../state/exec.ts';
import type { ImageCache } from '../state/image-cache.ts';
import type { ImageStore } from '../state/image-store.ts';
import type { JobContainerStore } from '../state/job-container-store.ts';
import type { PullLog } from '../state/pull-log.ts';
import type { VolumeStore } from '../state/volume-store.ts';
import type { UserDatabase } from '../oci/users.ts';
import type { StdioFactory } from '../stdio/types.ts';

/** Where the job's files are on the host. All of it is berth's own and readable by root only, but the Docker socket. */
export interface JobPaths {
  /** `<root>/jobs/<job>`: what outlives the process. */
  readonly stateDir: string;
  /** `<run-dir>/<job>`: sockets, FIFOs, namespaces. */
  readonly runDir: string;
  readonly socket: string;
  readonly controlSocket: string;
}

/** Everything one job owns: made by `open-job`, ended by `close-job`, and handed to every verb. */
export interface Job {
  readonly id: string;
  /** containerd's namespace of this job. */
  readonly namespace: string;
  /** Stable for the job, as `docker info` prints it. */
  readonly daemonId: string;
  readonly settings: Settings;
  readonly host: HostFacts;
  /** What is weak about the host; clients see it in `docker info`. */
  readonly hostWarnings: readonly string[];
  /** What the job's containers may use together; clients are shown it as the machine. */
  readonly budget: Budget;
  /** AppArmor profiles that can be asked of the runtime. */
  readonly appArmorProfiles: readonly string[];
  readonly processes: HostProcesses;
  readonly runtimeCalls: RuntimeCalls;
  /** What the OCI runtime says of itself, asked for once: each question is a program of the host. */
  readonly runtimeVersion: () => Promise<RuntimeVersion>;
  /** Signals for processes of containers, past containerd. */
  readonly signals: ProcessSignals;
  /** Names of namespaces, for containers that join another one's. */
  readonly namespacePins: NamespacePins;
  /** The /dev/shm of containers that others may join. */
  readonly sharedMemory: SharedMemory;
  /** Device nodes of the host, for a privileged container. */
  readonly listDevices: () => Promise<readonly HostDevice[]>;
  readonly paths: JobPaths;
  readonly log: Logger;
  /** Containers and tasks: calls carry the job's namespace. */
  readonly containerd: JobRuntime;
  /** Images, layers and containers' files, in the namespace that jobs share: who may have what is for us to decide. */
  readonly store: JobStore;
  /** Lease in the store that holds the files of the job's containers. */
  readonly leaseId: string;
  /** Directory of what every container has below its image: dockerd's init layer, made for the first one. */
  readonly initLayer: () => Promise<string>;
  /** Options that every task of the job is created with. */
  readonly runtimeOptions: Any;
  readonly registry: Registry;
  readonly archives: ImageArchives;
  readonly network: JobNetwork;
  /** BuildKit's door: its clients' connections, while they are open. */
  readonly buildkit: BuildkitFront;
  /** The operator's buildkitd, where builds by that door are carried out by one. */
  readonly remoteBuilder: RemoteBuilder | undefined;
  readonly stdio: StdioFactory;
  readonly logs: LogStore;
  readonly rootfs: RootfsAccess;
  readonly buildFiles: BuildFiles;
  readonly binds: BindAccess;
  /** Who the runner's main container is: host paths then mean its files. */
  readonly jobContainer: JobContainerStore;
  readonly containers: ContainerStore;
  readonly execs: Map<string, Exec>;
  readonly images: ImageStore;
  /** Keeps pulled images for jobs to come. */
  readonly cache: ImageCache;
  readonly pulls: PullLog;
  /** Users and groups that images bring along, by the chain id of their layers. */
  readonly imageUsers: Map<string, UserDatabase>;
  /** Steps of builds that need not be carried out again. */
  readonly buildCache: BuildCache;
  /** Trees of files in directories of the job that containers may have written in. */
  readonly trees: OwnTrees;
  /** Directories that steps of builds share with later ones. */
  readonly cacheMounts: CacheMounts;
  readonly volumes: VolumeStore;
  readonly events: EventLog;
  /** What the gate and other doors decided against, or cut. */
  readonly audit: AuditLog;
  /** Health checks run through this, so that not all of them start at once. */
  readonly probes: Limiter;
  /** Execs are started through this, by container: with dozens at once the shim of containerd 1.6 never answers again. */
  readonly execStarts: FairLimiter;
  /** Removed containers are deleted through this, behind the answers. */
  readonly deletions: Limiter;
  /** `docker top` runs through this: each is a program of the host that a client starts. */
  readonly tops: Limiter;
  readonly meter: Meter;
  /** Work behind answered requests; the end of the job waits for it. */
  readonly tasks: TaskTracker;
  /** Aborted when the job ends. */
  readonly signal: AbortSignal;
  /** Strictly growing nanoseconds since the epoch. */
  readonly nowNs: () => bigint;
  /** Cgroup of the job, absolute within the cgroup tree; containers live below it. */
  readonly cgroupPath: string;
}
