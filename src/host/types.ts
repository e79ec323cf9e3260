import type { Readable, Writable } from 'node:stream';

import type { Mount, ProcessRef } from '../containerd/types.ts';

/** How a path is resolved by openat2(2); the names are the kernel's RESOLVE_ flags. */
export interface OpenHow {
  /** O_ flags of open(2); O_CLOEXEC is always added. */
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: readonly ResolveFlag[];
}

/** One RESOLVE_ flag of openat2(2). */
export type ResolveFlag = 'IN_ROOT' | 'BENEATH' | 'NO_MAGICLINKS' | 'NO_SYMLINKS' | 'NO_XDEV';

/** Arguments of mount(2); empty strings stand for its null pointers. */
export interface MountCall {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  /** MS_ bits. */
  readonly flags: number;
  readonly data: string;
}

/** Arguments of mknod(2). */
export interface NodeCall {
  readonly path: string;
  /** Type and permission bits, as in st_mode. */
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
}

/** The system calls that Node lacks; a failure is an Error with `code` (ENOENT …), `errno` and `syscall`, as from node:fs. */
export interface Libc {
  /** Makes a FIFO; the permission bits are cut by the umask. */
  mkfifo(path: string, mode: number): void;
  /** Makes a device node, FIFO or socket file, on another thread; the permission bits are cut by the umask. */
  mknod(node: NodeCall): Promise<void>;
  /** An extended attribute of at most 64 bytes; undefined where there is none. */
  getxattr(path: string, name: string): Buffer | undefined;
  /** Sets an extended attribute. */
  setxattr(path: string, name: string, value: Buffer): void;
  mount(call: MountCall): void;
  /** umount2(2); `lazy` is MNT_DETACH. A symbolic link as target is never followed. */
  unmount(target: string, options: { readonly lazy: boolean }): void;
  /** Opens below the directory descriptor; the caller closes the answer. */
  openat2(directoryFd: number, path: string | Buffer, how: OpenHow): number;
  /** As openat2, on another thread: a file system inside a container may never answer. */
  openat2Async(directoryFd: number, path: string | Buffer, how: OpenHow): Promise<number>;
  /** A detached copy of the mount at `path` (with `recursive`, of those below it too) as a descriptor. */
  openTree(path: string, options: { readonly recursive: boolean }): number;
  /**
   * A detached copy of the mount that an O_PATH descriptor is in, from what it names down; `namespaceFd` is the mount
   * namespace it was opened in, where that is not ours.
   */
  cloneTree(
    fd: number,
    options: { readonly recursive: boolean; readonly namespaceFd: number | undefined },
  ): number;
  /** Attaches a detached mount at a path, or where a descriptor is. */
  moveMount(treeFd: number, target: string | number): void;
  /** Takes (or with `unlock` gives back) an advisory lock; false when another holder has it. Never waits. */
  flock(fd: number, kind: 'exclusive' | 'shared' | 'unlock'): boolean;
  /** A copy of another process's descriptor (pidfd_getfd), without resolving any path; the caller closes it. */
  takeFd(pid: number, fd: number): number;
  /**
   * Sends a signal to the process that has the number now, if `isMeant` says so of it: never to a later one of the same
   * number. False where it was not sent; ESRCH where there is none.
   */
  signalIf(pid: number, signal: number, isMeant: () => boolean): boolean;
  /** F_SETPIPE_SZ; answers the size the kernel chose. */
  setPipeSize(fd: number, bytes: number): number;
}

/** Sends signals to processes of containers. */
export interface ProcessSignals {
  /**
   * False where no process of that number is in a cgroup of that name (one part of its path, or several), or below one: then
   * nothing was sent.
   */
  send(process: { readonly pid: number; readonly cgroupName: string }, signal: number): boolean;
}

/** One line of mountinfo. */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  readonly root: string;
  readonly mountPoint: string;
  readonly fsType: string;
  readonly source: string;
  readonly options: string;
  readonly superOptions: string;
  /** Of the file system: `major:minor`, as in st_dev. */
  readonly device: string;
}

/** A mount that no path leads to; it lives as long as the descriptor. */
export interface DetachedMount {
  /** Descriptor of its root directory. */
  readonly fd: number;
  close(): void;
}

/** Something that is mounted inside a detached mount, with all that is mounted below it. */
export interface InnerMount {
  /** A path that only root can change. */
  readonly source: string;
  /** Links in it are followed inside the detached mount. */
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** Mounts of this process's mount namespace. */
export interface HostMounts {
  list(): Promise<readonly MountEntry[]>;
  /** The mounts that a process sees; NotFound when it has ended. */
  listOf(pid: number): Promise<readonly MountEntry[]>;
  /** Detaches every mount at or below `path`, latest first; nothing mounted there is no error. */
  unmountBelow(path: string): Promise<void>;
  /**
   * A copy of a detached mount with another one inside of it. The target is there; it is looked up by this thread, so
   * nothing on the way to it may be slow to answer. The caller closes both.
   */
  composeDetached(root: DetachedMount, inner: InnerMount): Promise<DetachedMount>;
  /** Mounts a containerd mount list where nobody else sees it. */
  openDetached(mounts: readonly Mount[]): Promise<DetachedMount>;
}

/** `v1` includes hybrid hosts, whose controllers are in v1 hierarchies. */
export type CgroupMode = 'v1' | 'v2';

/** What the processes of a cgroup may use together; undefined: as much as there is. */
export interface CgroupLimits {
  readonly memoryBytes: number | undefined;
  /** Processors' time per time, so 1.5 is one and a half of them. */
  readonly cpus: number | undefined;
  /** Threads count as processes. */
  readonly pids: number | undefined;
}

/** A job's parent cgroup: the same relative path in each hierarchy. */
export interface HostCgroups {
  readonly mode: CgroupMode;
  /** Names of the controllers that can be used, as the kernel spells them. */
  readonly controllers: readonly string[];
  /** Where the controller's hierarchy is mounted; undefined where the kernel does not offer it. */
  rootOf(controller: string): string | undefined;
  /** Absolute directories of the cgroup, one per hierarchy. */
  paths(cgroup: string): readonly string[];
  /** Makes the cgroup in every hierarchy, and with v2 hands the controllers down to its children; idempotent. */
  create(cgroup: string): Promise<void>;
  /** Pids in the cgroup and in all below it. */
  pids(cgroup: string): Promise<readonly number[]>;
  /** Removes the cgroup and all below it, bottom up; Conflict while processes are in it, nothing when absent. */
  remove(cgroup: string): Promise<void>;
  /** True while the cgroup exists in any hierarchy. */
  exists(cgroup: string): Promise<boolean>;
  /** Sets those limits that are given; Unavailable where the kernel cannot. */
  limit(cgroup: string, limits: CgroupLimits): Promise<void>;
  /** The narrowest limits of the cgroup and of all above it. */
  limitsOf(cgroup: string): Promise<CgroupLimits>;
  /** Processors and memory nodes that the cgroup may use, as the kernel lists them; empty where it does not. */
  cpusetOf(cgroup: string): Promise<{ readonly cpus: string; readonly mems: string }>;
  /** The cgroup of a process: its v2 path, or that of the named v1 controller. */
  ofProcess(pid: number, controller: string): Promise<string | undefined>;
}

/** What the kernel lets a container's limits be made of. */
export interface LimitSupport {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly kernelMemoryTcp: boolean;
  readonly oomKillDisable: boolean;
  readonly cpuCfsPeriod: boolean;
  readonly cpuCfsQuota: boolean;
  readonly cpuShares: boolean;
  readonly cpuSet: boolean;
  readonly pids: boolean;
  readonly blkioWeight: boolean;
}

/** True facts about the machine, read once. */
export interface HostFacts {
  readonly hostname: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly kernelVersion: string;
  /** PRETTY_NAME of os-release. */
  readonly osName: string;
  /** VERSION_ID of os-release, or empty. */
  readonly osVersion: string;
  /** As in image configurations: amd64, arm64 … */
  readonly architecture: string;
  /** As uname(1) prints it: x86_64, aarch64 … */
  readonly machine: string;
  readonly cgroupVersion: '1' | '2';
  readonly limits: LimitSupport;
  readonly ipv4Forwarding: boolean;
  readonly bridgeNfIptables: boolean;
  readonly bridgeNfIp6tables: boolean;
  /** Number of the last capability that the kernel knows. */
  readonly lastCap: number;
  /** One bit per capability that a child of ours can still have. */
  readonly boundingSet: bigint;
  /** The highest resource limits that a process can be given, by ulimit's names; without an entry any can. */
  readonly highestUlimits: ReadonlyMap<string, number>;
  readonly hasSeccomp: boolean;
  readonly hasAppArmor: boolean;
  readonly hasSelinux: boolean;
}

/** How a host program ended. */
export interface ProcessResult {
  /** Exit code; 128 + number after a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a host program is run. */
export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  /** The whole environment; default is a plain PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60 s; then SIGKILL and Unavailable. */
  readonly timeoutMs?: number;
  /** Default 1 MiB per stream; more is an Internal error. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
}

/** A process that a later one with the same number is not mistaken for. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot: field 22 of /proc/pid/stat. */
  readonly startTime: string;
}

/** A program of ours that works for us by its standard streams; its messages go where ours go. */
export interface Companion {
  readonly pid: number;
  readonly input: Writable;
  readonly output: Readable;
  /** Resolves when the process is gone, however it ended: one that waits in the kernel outlives its SIGKILL. */
  readonly gone: Promise<void>;
  kill(): void;
}

/** Host programs: argument arrays only, never a shell line. */
export interface HostProcesses {
  /** Runs to the end; a non-zero exit is an answer, a program that cannot start is Unavailable. */
  run(argv: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** As `run`, inside the network namespace at the path. */
  runInNetns(netnsPath: string, argv: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** Starts a program in a session of its own, without standard streams; it outlives us. */
  startDetached(argv: readonly string[]): Promise<ProcessIdentity>;
  /** Starts a program that ends with us; it does not keep this process running. */
  startCompanion(argv: readonly string[]): Promise<Companion>;
  /** Identity of a live process (a zombie is not alive), or undefined. */
  identify(pid: number): Promise<ProcessIdentity | undefined>;
  isAlive(process: ProcessIdentity): Promise<boolean>;
  /** Sends a signal unless the process has ended; answers whether it was sent. */
  kill(process: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean>;
}

/** What containerd's shims have the OCI runtime do. */
export interface RuntimeCalls {
  /**
   * Kills what the runtime has begun to start in a container, and the runtime itself where that is held by the kernel;
   * false where no such start is under way.
   */
  endStart(process: ProcessRef): Promise<boolean>;
}
