import { EngineError } from '../../errors.ts';
import type { IpamPool, NetworkCreateRequest } from '../../wire/network.ts';
import type { EndpointSettings } from '../../wire/networking-config.ts';
import { endpointSettings } from '../containers/decode-endpoint-settings.ts';
import {
  bool,
  list,
  map,
  nullable,
  object,
  omitEmpty,
  string,
  type Decoder,
  type Place,
} from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';

const pool: Decoder<IpamPool> = object<IpamPool>({
  Subnet: omitEmpty(string),
  IPRange: omitEmpty(string),
  Gateway: omitEmpty(string),
  AuxiliaryAddresses: omitEmpty(map(string)),
});

const createBody = object<NetworkCreateRequest>(
  {
    Name: string,
    Driver: string,
    Scope: string,
    Internal: bool,
    Attachable: bool,
    Ingress: bool,
    ConfigOnly: bool,
    ConfigFrom: object<{ readonly Network: string }>({ Network: string }),
    EnableIPv4: nullable(bool),
    EnableIPv6: nullable(bool),
    IPAM: object<NetworkCreateRequest['IPAM']>({ Driver: string, Options: map(string), Config: list(pool) }),
    Options: map(string),
    Labels: map(string),
  },
  // Every name is checked since the API has it, whatever a client says here.
  { knownElsewhere: ['CheckDuplicate'] },
);

/** The body of connect and disconnect. */
export interface Membership {
  readonly Container: string;
  readonly Force: boolean;
  readonly EndpointConfig: EndpointSettings;
}

const membershipBody = object<Membership>({
  Container: string,
  Force: bool,
  EndpointConfig: endpointSettings,
});

function placeOf(struct: string): Place {
  return { struct, path: '', ignored: [] };
}

/** The body of `POST /networks/create`, else InvalidArgument. */
export function decodeNetwork(body: Uint8Array): NetworkCreateRequest {
  return createBody(parseJsonBody(body), placeOf('NetworkCreateRequest'));
}

/** The body of connect and disconnect, else InvalidArgument. */
export function decodeMembership(body: Uint8Array): Membership {
  const membership = membershipBody(parseJsonBody(body), placeOf('NetworkConnect'));
  if (membership.Container === '')
    throw new EngineError('InvalidArgument', 'invalid name or ID supplied: ""');
  return membership;
}
