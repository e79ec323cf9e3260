import { ShapeError } from '../../errors.ts';
import type {
  IpamPool,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
} from '../../wire/network.ts';
import { endpointSettings } from '../containers/decode-endpoint-settings.ts';
import { soundsElevating } from '../containers/elevating-names.ts';
import {
  bool,
  list,
  map,
  nullable,
  object,
  omitEmpty,
  string,
  type Decoded,
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
    CheckDuplicate: bool,
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
  { isRefused: soundsElevating },
);

// Clients write both with the same members.
const connectBody = object<NetworkConnectRequest>(
  { Container: string, EndpointConfig: endpointSettings },
  { isRefused: soundsElevating, knownElsewhere: ['Force'] },
);

const disconnectBody = object<NetworkDisconnectRequest>(
  { Container: string, Force: bool },
  { isRefused: soundsElevating, knownElsewhere: ['EndpointConfig'] },
);

function decode<T>(decoder: Decoder<T>, body: Uint8Array, struct: string): Decoded<T> {
  const place: Place = { struct, path: '', ignored: [] };
  return { request: decoder(parseJsonBody(body), place), ignored: place.ignored };
}

function requireContainer<T extends { readonly Container: string }>(decoded: Decoded<T>): Decoded<T> {
  if (decoded.request.Container === '') throw new ShapeError('invalid name or ID supplied: ""');
  return decoded;
}

/** The body of `POST /networks/create`, else InvalidArgument. */
export function decodeNetwork(body: Uint8Array): Decoded<NetworkCreateRequest> {
  return decode(createBody, body, 'NetworkCreateRequest');
}

/** The body of `POST /networks/{id}/connect`, else InvalidArgument. */
export function decodeConnect(body: Uint8Array): Decoded<NetworkConnectRequest> {
  return requireContainer(decode(connectBody, body, 'NetworkConnect'));
}

/** The body of `POST /networks/{id}/disconnect`, else InvalidArgument. */
export function decodeDisconnect(body: Uint8Array): Decoded<NetworkDisconnectRequest> {
  return requireContainer(decode(disconnectBody, body, 'NetworkDisconnect'));
}
