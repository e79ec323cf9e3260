import type { ContainerConfig } from '../wire/container-config.ts';
import type { HostConfig } from '../wire/host-config.ts';
import type { EndpointSettings, NetworkingConfig } from '../wire/networking-config.ts';
import type { Deferred } from '../lib/deferred.ts';
import type { ProcessIo } from '../stdio/types.ts';
import type { Endpoint, PublishedPort } from '../network/types.ts';
import type { LogWriter } from '../logstore/types.ts';
import type { Mount } from '../containerd/types.ts';

/** How a container's init process ended. `exitCode` is 0–255, with 128+N for a death by signal N. */
export interface ExitStatus {
  readonly exitCode: number;
  readonly finishedAt: string;
  readonly isOomKilled: boolean;
  /** Why the runtime failed to start or to follow the process; empty when it ran and ended by itself. */
  readonly error: string;
}

/** Where a container is in its life; times are RFC 3339 with nanoseconds. */
export type ContainerState =
  | { readonly status: 'created'; readonly lastError: string; readonly lastExitCode: number }
  | {
      readonly status: 'running';
      readonly pid: number;
      readonly startedAt: string;
      readonly isPaused: boolean;
      /** When the run before this one ended; absent for the first. */
      readonly lastFinishedAt?: string;
    }
  /** Ended, and about to be started again by its restart policy. */
  | ({ readonly status: 'restarting'; readonly startedAt: string } & ExitStatus)
  | ({ readonly status: 'exited'; readonly startedAt: string } & ExitStatus)
  | ({ readonly status: 'dead'; readonly startedAt: string } & ExitStatus);

/** What mounts a container has besides its root filesystem, as `docker inspect` lists them, with the host's side of each. */
export interface ContainerMount {
  readonly type: 'volume' | 'bind' | 'tmpfs' | 'image';
  /** A volume's name, an image's as the user typed it, else empty. */
  readonly name: string;
  /** The path as the job sees it, for inspect; never used to mount. */
  readonly shownSource: string;
  /** The path on the host that the runtime binds; berth's own staging or volume directory. Empty for tmpfs. */
  readonly hostPath: string;
  readonly destination: string;
  readonly isReadWrite: boolean;
  /** The mode words the user wrote (`ro`, `z`, …), for inspect. */
  readonly mode: string;
  readonly propagation: string;
  /** True when the volume was made for this container alone and goes with it on `rm -v` or `--rm`. */
  readonly isAnonymous: boolean;
  /** Of a volume, what in it is mounted, where that is not all of it: looked up at each start, and `hostPath` is its staging. */
  readonly subpath?: string;
  /** Of a tmpfs, its options. */
  readonly tmpfsOptions?: readonly string[];
}

/** A container that another one on the default bridge knows by an alias. */
export interface ContainerLink {
  readonly containerId: string;
  /** The name it had when the link was made; shown once it is gone. */
  readonly containerName: string;
  readonly alias: string;
}

/** What is stored with the containerd container: everything that must outlive this process. Plain JSON. */
export interface ContainerRecord {
  readonly version: 1;
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly createdAt: string;
  /** `sha256:` and the digest of the image's config. */
  readonly imageId: string;
  /** The image's manifest for the platform that runs, `sha256:…`. */
  readonly manifestDigest: string;
  /** Chain id of the image's layers: the parent of the container's snapshot. */
  readonly chainId: string;
  /** What rules about images could ask of it when the container was made; records of earlier versions have none. */
  readonly imageFacts?: {
    /** Names under which a registry had given it to this job. */
    readonly pulledNames: readonly string[];
    readonly digests: readonly string[];
  };
  /** As `docker inspect` shows it: the request with the image's values merged in. `Image` is the reference as typed. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig;
  /** The networks it is on when it runs, by name, with what was asked for on each; connect and disconnect change it. */
  readonly networks: Readonly<Record<string, EndpointSettings>>;
  /** Other containers of the default bridge that its files and environment tell of. */
  readonly links: readonly ContainerLink[];
  /** Entrypoint and command merged: the program and its arguments. */
  readonly argv: readonly string[];
  readonly mounts: readonly ContainerMount[];
  /** What of the gate's and the machine's decisions was told to the client at create. */
  readonly warnings: readonly string[];
  readonly state: ContainerState;
  /** How often its restart policy has started it again since a user did. */
  readonly restartCount: number;
  /** True from when a user asks it to end until a user starts it: its restart policy keeps quiet meanwhile. */
  readonly isStopRequested: boolean;
  /** True once the container has run or was written to: its files may differ from its image's. */
  readonly isRootfsTouched: boolean;
  /** Network endpoints of a running container, by network name; kept for take-over after a crash. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** Published ports of a running container. */
  readonly ports: readonly PublishedPort[];
  /** A container of berth itself (the runner's job container): no client can see or name it. */
  readonly isHidden: boolean;
}

/** The streams of one run of a container: opened by the first attach or by the start, closed after the exit. */
export interface StreamSession {
  readonly io: ProcessIo;
  /** Resolves once containerd holds the other ends: only then may ours be closed without losing what is in the pipe. */
  readonly taskCreated: Deferred<void>;
  /** Ends of the clients attached: called for those that hold up what is left after the exit. */
  readonly clients: Set<() => void>;
}

/** Live parts of a running container; gone when it is not running. */
export interface ContainerRun {
  readonly session: StreamSession;
  readonly logWriter: LogWriter | undefined;
  /** Resolves after the output is drained and the exit recorded. */
  readonly exited: Deferred<ExitStatus>;
  /** Processes that were killed for want of memory, as far as it was noticed. */
  oomKills: number;
  /** Set by `docker restart`: the exit must not remove a container with `--rm`. */
  isRestartRequested: boolean;
}

/** What one probe of a container's health found; times are RFC 3339. */
export interface HealthResult {
  readonly start: string;
  readonly end: string;
  /** 0 is healthy; -1 where the probe could not be run or took too long. */
  readonly exitCode: number;
  readonly output: string;
}

/** A container's health, from its last results, oldest first. */
export interface HealthState {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  readonly log: readonly HealthResult[];
}

/** A restart that a policy has decided on, until the container runs again or stays stopped. */
export interface PendingRestart {
  readonly delayMs: number;
  /** Aborted when nobody wants the restart any more. */
  readonly cancel: AbortController;
  /** Resolves when it has been done or given up. */
  readonly settled: Deferred<void>;
}

/** A container as this process knows it. `record` is replaced, never mutated; `updateRecord` writes it through. */
export interface Container {
  readonly id: string;
  record: ContainerRecord;
  run: ContainerRun | undefined;
  /** Set while the state is `restarting`. */
  pendingRestart: PendingRestart | undefined;
  /** How long the last restart waited: the next one waits twice as long. 0 after a start by a user. */
  restartDelayMs: number;
  /** Undefined for a container that is not probed or has not run. */
  health: HealthState | undefined;
  /** Aborted to end the probing; undefined while there is none. */
  healthMonitor: AbortController | undefined;
  /** The streams of the present or next run. */
  session: Promise<StreamSession> | undefined;
  /** Where the container's root filesystem is mounted from. */
  readonly rootMounts: readonly Mount[];
  /** The runtime spec that containerd has, as JSON; empty before the first start. */
  storedSpec: string;
  readonly execIds: Set<string>;
  /** Settled at the next exit, then replaced: who waits for `next-exit` takes the present one. */
  nextExit: Deferred<ExitStatus>;
  /** Settled when the container is gone. */
  readonly removed: Deferred<ExitStatus>;
  isRemoving: boolean;
  /** Its removal takes its volumes along: it keeps none from anybody else any more. */
  isLeavingVolumes: boolean;
  /** The release of the last run's task, sandbox and FIFOs; false where it failed and must be made up for. Never rejects. */
  released: Promise<boolean>;
}
