/** A resource limit; `unlimited` is the kernel's infinity, which no JSON number of ours can hold. */
export interface OciRlimit {
  readonly type: string;
  readonly hard: number | 'unlimited';
  readonly soft: number | 'unlimited';
}

/** Who a process runs as, in numbers. */
export interface OciUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/** Capability sets of a process; inheritable and ambient stay empty. */
export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

/** A process of the runtime specification. */
export interface OciProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: OciUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly rlimits: readonly OciRlimit[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj?: number;
}

/** A mount of the runtime specification. */
export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** A rule of the device cgroup; without type, major and minor it is about every device. */
export interface OciDeviceRule {
  readonly allow: boolean;
  readonly access: string;
  readonly type?: 'c' | 'b';
  readonly major?: number;
  readonly minor?: number;
}

/** A device node made in the container. */
export interface OciDevice {
  readonly path: string;
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Cgroup limits of the runtime specification. */
export interface OciResources {
  readonly devices: readonly OciDeviceRule[];
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: { readonly weight: number };
}

/** A namespace: a new one, or with a path an existing one. */
export interface OciNamespace {
  readonly type: 'mount' | 'network' | 'uts' | 'pid' | 'ipc' | 'cgroup';
  readonly path?: string;
}

/** One rule of a seccomp filter. */
export interface OciSyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly valueTwo?: number | undefined;
    readonly op: string;
  }[];
}

/** A seccomp filter: what no rule names meets `defaultAction`, and fails with `defaultErrnoRet`. */
export interface OciSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly OciSyscallRule[];
}

/** A container of the runtime specification, as far as berth uses it: no hooks, no annotations. */
export interface OciSpec {
  readonly ociVersion: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly mounts: readonly OciMount[];
  readonly linux: {
    readonly cgroupsPath: string;
    readonly namespaces: readonly OciNamespace[];
    readonly resources: OciResources;
    readonly devices: readonly OciDevice[];
    readonly seccomp?: OciSeccomp;
    readonly sysctl: Readonly<Record<string, string>>;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
  };
}

/** What the spec builder must know of the machine; `HostFacts` is one. */
export interface SpecHost {
  /** In Go's words: amd64, arm64 … */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly hasSeccomp: boolean;
  readonly hasAppArmor: boolean;
}
