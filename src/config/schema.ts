import type { EndpointPermissions } from '../policy/endpoint-permissions.ts';
import type { ProxySettings } from './proxies.ts';
import type { PrivilegeRule } from '../policy/privilege-rule.ts';

/** What platform the operator's host is, as far as the gate's default is concerned. */
export type HostPlatform = 'linux' | 'darwin' | 'windows';

/** Where the job's containers get their network from. */
export type NetworkChoice =
  | { readonly kind: 'isolated' }
  | { readonly kind: 'host' }
  | { readonly kind: 'path'; readonly path: string };

/** How much of each thing one job may have at a time: more would only be asked for to wear the machine out. */
export interface JobLimits {
  readonly containers: number;
  /** Instances that have not ended. */
  readonly execs: number;
  readonly networks: number;
  /** Published ones. */
  readonly ports: number;
  readonly volumes: number;
  /** Of all containers' output together. */
  readonly logBytes: number;
  /** Of a request that is read whole. */
  readonly bodyBytes: number;
  /** Of one layer, unpacked. */
  readonly layerBytes: number;
  /** Of the layers of all images, unpacked. */
  readonly imageBytes: number;
  /** For the start of a container or an exec, as far as the runtime is at it. */
  readonly startSeconds: number;
}

/** Where the Docker API is served over the network. */
export interface ListenAddress {
  /** An address of this machine: clients connect to it, and its certificate is for it. */
  readonly host: string;
  /** 0: the kernel chooses. */
  readonly port: number;
}

/** How an environment file is written. */
export type EnvironmentFormat = 'github' | 'gitlab' | 'dotenv';

/** Everything an operator can set, after flags, environment and file were merged; nothing a job says gets in here. */
export interface Settings {
  readonly root: string;
  readonly runDir: string;
  /** `embedded`, the path of containerd's socket, or undefined: the system's where it answers, else embedded. */
  readonly containerd: string | undefined;
  /** Name of containerd's snapshotter that layers and containers' files live in. */
  readonly snapshotter: string;
  readonly hostPlatform: HostPlatform;
  /** `[dind] allow_privileged`: for all images, for those of the rules, or undefined when the key is absent. */
  readonly allowPrivileged: boolean | readonly PrivilegeRule[] | undefined;
  /** `[dind] neutralise`: patterns of images that run without the privileges that they ask for. */
  readonly neutralise: readonly string[];
  /** `[dind] fence`: what stands between the containers' kernel and the machine, in the operator's word. */
  readonly fence: string | undefined;
  /** `[api]`: which endpoints the job may use. */
  readonly api: EndpointPermissions;
  readonly network: NetworkChoice;
  /** Where the job's traffic may go: `internet` is everything but private, link-local and metadata addresses. */
  readonly egress: 'internet' | 'all' | 'none';
  /** CIDRs that `internet` opens besides. */
  readonly egressAllow: readonly string[];
  /** Serve also where a wall between containers and the host is missing. */
  readonly acceptWeakHost: boolean;
  /** Cgroup below which the job's own is made; absolute within the cgroup tree. */
  readonly cgroupParent: string;
  /** What all of the job together may use; undefined: what the machine, or the cgroup above, has. */
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly pids: number;
  readonly workspaces: readonly string[];
  /** containerd's certs.d directory, or undefined. */
  readonly registriesDir: string | undefined;
  /** `host[:port]` or CIDR of registries spoken to in plain http; loopback ones always are. */
  readonly insecureRegistries: readonly string[];
  /** Registries that jobs may use: `host`, `host:port` or `*.domain`; undefined: all. */
  readonly allowedRegistries: readonly string[] | undefined;
  /** Hosts and CIDR blocks that registries may be at though their addresses are not public. */
  readonly privateRegistries: readonly string[];
  /** Through whom registries are spoken to. */
  readonly proxies: ProxySettings;
  /** File with the node's own credentials, in docker's config.json, or undefined. */
  readonly registryCredentials: string | undefined;
  /** Who keeps pulled images after the job; empty: nobody. Undefined: berth's own containerd does, another does not. */
  readonly cacheScope: string | undefined;
  /** Images are dropped when the disk is fuller than this, in percent … */
  readonly cacheHighPercent: number;
  /** … until it is no fuller than this. */
  readonly cacheLowPercent: number;
  /** Most bytes that the build cache of an owner (or of a job) keeps. */
  readonly buildCacheBytes: number;
  /** Path of the socket of a buildkitd that builds by BuildKit's door are carried out by; undefined: berth builds them. */
  readonly buildkitd: string | undefined;
  /** Program bind-mounted as /sbin/docker-init for `--init`. */
  readonly initPath: string;
  /** Most bytes of log kept for one container. */
  readonly logMaxBytes: number;
  readonly limits: JobLimits;
  readonly logLevel: string;
  /** Undefined: the socket alone. */
  readonly listen: ListenAddress | undefined;
}
