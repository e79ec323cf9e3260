/** Addresses asked for on one network. */
export interface EndpointIpamConfig {
  readonly IPv4Address?: string;
  readonly IPv6Address?: string;
  readonly LinkLocalIPs?: readonly string[];
}

/** What a client asks for, or dockerd tells, about a container on one network. */
export interface EndpointSettings {
  readonly IPAMConfig: EndpointIpamConfig | null;
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly MacAddress: string;
  readonly DriverOpts: Readonly<Record<string, string>> | null;
  readonly GwPriority: number;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly DNSNames: readonly string[] | null;
}

/** The networks that a container is connected to from its creation, by the name or id that was asked for. */
export interface NetworkingConfig {
  readonly EndpointsConfig: Readonly<Record<string, EndpointSettings>>;
}
