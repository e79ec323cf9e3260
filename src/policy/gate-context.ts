import type { AllowPrivileged } from './allow-privileged.ts';
import type { Decision } from './decision.ts';
import type { ImageFacts } from './image-pattern.ts';

/** What the gate must know of the machine; `HostFacts` is one. */
export interface GateHost {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly cgroupVersion: '1' | '2';
  readonly limits: {
    readonly memory: boolean;
    readonly swap: boolean;
    readonly oomKillDisable: boolean;
    readonly cpuCfsPeriod: boolean;
    readonly cpuCfsQuota: boolean;
    readonly cpuShares: boolean;
    readonly cpuSet: boolean;
    readonly pids: boolean;
    readonly blkioWeight: boolean;
  };
  readonly ipv4Forwarding: boolean;
  readonly lastCap: number;
  readonly boundingSet: bigint;
  /** By ulimit's names; without an entry there is no highest. */
  readonly highestUlimits: ReadonlyMap<string, number>;
  readonly hasSeccomp: boolean;
  readonly hasAppArmor: boolean;
  readonly hasSelinux: boolean;
}

/** What all containers of the job may use together: at most what the machine has. */
export interface Budget {
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Undefined where nothing limits them. */
  readonly pids: number | undefined;
  /** Processors and memory nodes, as the kernel lists them (`0-3`); empty where it does not. */
  readonly cpuset: { readonly cpus: string; readonly mems: string };
}

/** Everything besides the request that a verdict depends on. */
export interface GateContext {
  readonly allowPrivileged: AllowPrivileged;
  readonly host: GateHost;
  readonly budget: Budget;
  /** Full id of a container of this job by id, prefix or name, or undefined; hidden ones do not count. */
  readonly findOwnContainer: (ref: string) => string | undefined;
  /** What the job knows of the image that a reference leads to; asks no registry. */
  readonly describeImage: (imageRef: string) => ImageFacts;
  /** Told of everything that is not simply let through, also of what was found beside a refusal. */
  readonly onDecision?: (decision: Decision) => void;
}
