import type { Readable } from 'node:stream';

/** Where a job's containers get their network from. */
export type NetworkPlace =
  | { readonly kind: 'isolated' }
  /** The namespace that berth was started in. */
  | { readonly kind: 'host' }
  | { readonly kind: 'path'; readonly path: string };

/** A container's place on one network, as `NetworkSettings.Networks` shows it. */
export interface Endpoint {
  readonly networkId: string;
  readonly networkName: string;
  readonly endpointId: string;
  readonly macAddress: string;
  /** IPv4 address without prefix; empty on the `none` network. */
  readonly ipAddress: string;
  readonly prefixLength: number;
  /** Empty where the network leads nowhere. */
  readonly gateway: string;
  /** `eth0` …, where the network names no other beginning; empty on a network without addresses. */
  readonly interfaceName: string;
  /** The highest among a container's endpoints has the default route; among equals the first network by name. */
  readonly gwPriority: number;
  /** What the other containers of a user network may call it; none on the default bridge. */
  readonly dnsNames: readonly string[];
  /** What this container alone calls others there. */
  readonly links: readonly NetworkLink[];
  /** Only where the network has IPv6. */
  readonly ipv6?: Ipv6Endpoint;
}

/** The IPv6 part of an endpoint. */
export interface Ipv6Endpoint {
  readonly address: string;
  readonly prefixLength: number;
  /** Empty where the network leads nowhere. */
  readonly gateway: string;
}

/** A name of one container's own for another on the same network. */
export interface NetworkLink {
  readonly alias: string;
  /** A name that the network knows. */
  readonly target: string;
}

/** What can be published; SCTP is refused before it comes here. */
export type PortProtocol = 'tcp' | 'udp';

/** A container port that is to be reached on the job's own addresses. */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  /** Empty for all addresses. */
  readonly hostIp: string;
  /** The first free port of this range is taken; 0 and 0 for any of the ephemeral ones. */
  readonly firstHostPort: number;
  readonly lastHostPort: number;
}

/** A container port that is reached on an address and port of the job's namespace. */
export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  readonly hostIp: string;
  readonly hostPort: number;
}

/** A container's network namespace with its endpoints inside. */
export interface Sandbox {
  /** Path of the namespace file, for the runtime spec. */
  readonly netnsPath: string;
  /** By network name. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** Name servers that a container on these networks can reach, for its resolv.conf. */
  readonly nameServers: readonly string[];
  /** The only name server is the container's own resolver, which knows its networks' names. */
  readonly hasResolver: boolean;
  readonly ports: readonly PublishedPort[];
}

/** What a container asks for on one network. */
export interface EndpointRequest {
  /** Name or id. */
  readonly networkRef: string;
  /** Empty for one made from the address. */
  readonly macAddress: string;
  /** Empty for the next free one. */
  readonly ipAddress: string;
  /** As `ipAddress`, on a network with IPv6. */
  readonly ipv6Address: string;
  readonly gwPriority: number;
  readonly dnsNames: readonly string[];
  readonly links: readonly NetworkLink[];
  /** Further addresses of the interface, on the link only. */
  readonly linkLocalAddresses: readonly string[];
}

/** Which network a container asks for: `HostConfig.NetworkMode` after the gate. */
export type SandboxMode =
  | { readonly kind: 'none' }
  /** Interfaces on networks, `eth0` on the first. */
  | { readonly kind: 'networks'; readonly endpoints: readonly EndpointRequest[] }
  /** The namespace of another container, which must have one. */
  | { readonly kind: 'container'; readonly containerId: string }
  /** The job's own namespace: what `--network host` means inside a job. */
  | { readonly kind: 'job' };

/** What the job's network needs to know to make a sandbox. */
export interface SandboxRequest {
  readonly containerId: string;
  /** For errors that name who holds a port. */
  readonly containerName: string;
  readonly mode: SandboxMode;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ports: readonly PortRequest[];
  /** `HostConfig.Dns`: asked for names that the container's networks do not know. */
  readonly nameServers: readonly string[];
}

/** What a container had when the process that opened its sandbox ended. */
export interface SandboxTraces {
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly ports: readonly PublishedPort[];
}

/** Facts of a network for list and inspect. */
export interface NetworkFacts {
  readonly id: string;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  readonly createdAt: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly bridgeName: string;
  readonly isPredefined: boolean;
  /** Empty for all of the subnet. */
  readonly ipRange: string;
  /** Addresses that no container gets, by the name the user gave each. */
  readonly auxAddresses: Readonly<Record<string, string>>;
  /** Whether a user chose the subnet: only there may containers choose addresses. */
  readonly hasChosenSubnet: boolean;
  /** Only where the network has IPv6. */
  readonly ipv6?: Ipv6Facts;
  /** What was asked of IPv6 for a network without it: shown, and its addresses may be asked for, without effect. */
  readonly idleIpv6?: PoolRequest;
  readonly isInternal: boolean;
  readonly isAttachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Only where the network is nothing but a configuration: what networks made from it ask for. */
  readonly configuration?: AddressRequest;
  /** The name of the configuration that it was made from. */
  readonly configFrom?: string;
}

/** The IPv6 part of a network. */
export interface Ipv6Facts {
  /** `address/length`. */
  readonly subnet: string;
  readonly gateway: string;
  /** Empty for all of the subnet. */
  readonly ipRange: string;
  readonly auxAddresses: Readonly<Record<string, string>>;
  readonly hasChosenSubnet: boolean;
  /** False on an internal network, and where the host has no IPv6 to share: nobody gets a default route then, so that who tries it is told at once. */
  readonly leadsOut: boolean;
}

/** What a user asks for of the addresses of one family; empty texts stand for the daemon's choice. */
export type PoolRequest = Omit<Ipv6Facts, 'hasChosenSubnet' | 'leadsOut'>;

/** What a user asks for of a network's addresses. */
export interface AddressRequest extends PoolRequest {
  /** Absent for a network without IPv6. */
  readonly ipv6?: PoolRequest;
  /** Subnets of a network that is not to have IPv6. */
  readonly idleIpv6?: PoolRequest;
}

/** A network that a user asks for; empty texts stand for the daemon's choice. */
export interface NetworkRequest extends AddressRequest {
  readonly name: string;
  /** Nothing but a configuration, for other networks to be made from. */
  readonly isConfigOnly: boolean;
  /** The name of the configuration that it has its addresses, options and labels from; empty for its own. */
  readonly configFrom: string;
  /** True where a subnet may be named by any address in it. */
  readonly mayHaveHostBits?: boolean;
  readonly isInternal: boolean;
  readonly isAttachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A line of a hosts file for another container. */
export interface LinkedHost {
  readonly address: string;
  readonly names: readonly string[];
}

/** What the network files of a container depend on besides its sandbox. */
export interface ContainerFilesRequest {
  readonly hostname: string;
  readonly domainname: string;
  /** `HostConfig.ExtraHosts`. */
  readonly extraHosts: readonly string[];
  /** Containers that it is linked to. */
  readonly linkedHosts: readonly LinkedHost[];
  /** `HostConfig.Dns`, `DnsSearch` and `DnsOptions`. */
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
}

/** Texts of the three files that Docker mounts over a container's own. */
export interface ContainerFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** An answer to a GET; its body is to be read to the end or destroyed. */
export interface OpenedUrl {
  readonly status: number;
  /** As the server says it; empty where it does not. */
  readonly lastModified: string;
  readonly contentDisposition: string;
  readonly body: Readable;
}

/** The job's network: its namespace, its default bridge, its way out. Everything here vanishes with `close`. */
export interface JobNetwork {
  /** Path of the job's network namespace, for `nsenter --net=` and for the ready line. */
  readonly netnsPath: string;
  /** The three predefined networks, then the users', oldest first. */
  readonly networks: readonly NetworkFacts[];
  /** Conflict for a name that is taken, PermissionDenied for a subnet that is, InvalidArgument for one that cannot be. */
  createNetwork(request: NetworkRequest): Promise<NetworkFacts>;
  /** PermissionDenied while containers are on it; a predefined one is the caller's mistake. */
  removeNetwork(networkId: string): Promise<void>;
  /** Puts an open sandbox on one more network. */
  connect(containerId: string, request: EndpointRequest): Promise<Sandbox>;
  /** Takes an open sandbox off a network. */
  disconnect(containerId: string, networkId: string): Promise<Sandbox>;
  /** Where `openSandbox` will put the container's namespace: known before it is made. */
  sandboxPath(request: SandboxRequest): string;
  /** An open sandbox's container is called otherwise now; its endpoints have new names, by network name. */
  rename(
    containerId: string,
    names: {
      readonly containerName: string;
      readonly dnsNames: Readonly<Record<string, readonly string[]>>;
    },
  ): void;
  /** The sandbox of a container on networks, as it is now; undefined where it is not open. */
  sandboxOf(containerId: string): Sandbox | undefined;
  /** Makes (or takes from a warm pool) the namespace of a container and its endpoint. */
  openSandbox(request: SandboxRequest): Promise<Sandbox>;
  /** After a restart of berth: the sandbox that a running container still has; undefined when it has none any more. */
  adoptSandbox(request: SandboxRequest, traces: SandboxTraces): Promise<Sandbox | undefined>;
  /** Texts of hosts, hostname and resolv.conf for an open sandbox; InvalidArgument for values that do not fit a line. */
  containerFiles(sandbox: Sandbox, request: ContainerFilesRequest): ContainerFiles;
  /**
   * Fetches a URL as a process of the job would, redirects included; PermissionDenied where the egress rules say so,
   * Unavailable where there is no answer.
   */
  openUrl(url: string, signal: AbortSignal): Promise<OpenedUrl>;
  /** Idempotent; gives addresses back. */
  closeSandbox(containerId: string): Promise<void>;
  /** Removes everything: sandboxes, bridge, rules, uplink, namespace. Idempotent; returns what could not be removed. */
  close(): Promise<readonly string[]>;
}
