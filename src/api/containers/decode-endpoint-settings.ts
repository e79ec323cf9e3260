import type { EndpointIpamConfig, EndpointSettings } from '../../wire/networking-config.ts';
import { int64, list, map, nullable, object, omitEmpty, string, type Decoder } from '../http/decode.ts';

const ipamConfig: Decoder<EndpointIpamConfig> = object<EndpointIpamConfig>({
  IPv4Address: omitEmpty(string),
  IPv6Address: omitEmpty(string),
  LinkLocalIPs: omitEmpty(list(string)),
});

/** What a client asks for on one network, as create and network connect take it. */
export const endpointSettings: Decoder<EndpointSettings> = object<EndpointSettings>({
  IPAMConfig: nullable(ipamConfig),
  Links: list(string),
  Aliases: list(string),
  MacAddress: string,
  DriverOpts: map(string),
  GwPriority: int64,
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: int64,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: int64,
  DNSNames: list(string),
});
