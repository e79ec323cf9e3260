import { EngineError } from '../../errors.ts';
import { bool, map, object, string, type Decoder, type Place } from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';

const ignore: Decoder<undefined> = () => undefined;

const createBody = object<{ readonly Name: string; readonly Internal: boolean; readonly Labels: unknown }>(
  { Name: string, Internal: bool, Labels: map(string) },
  {
    knownElsewhere: [
      'Attachable',
      'CheckDuplicate',
      'ConfigFrom',
      'ConfigOnly',
      'Driver',
      'EnableIPv4',
      'EnableIPv6',
      'IPAM',
      'Ingress',
      'Options',
      'Scope',
    ],
  },
);

const membershipBody = object<{
  readonly Container: string;
  readonly Force: boolean;
  readonly EndpointConfig: undefined;
}>({
  Container: string,
  Force: bool,
  EndpointConfig: ignore,
});

function placeOf(struct: string): Place {
  return { struct, path: '', ignored: [] };
}

/** Name in the body of `POST /networks/create`, else InvalidArgument. */
export function decodeNetworkName(body: Uint8Array): string {
  return createBody(parseJsonBody(body), placeOf('NetworkCreateRequest')).Name;
}

/** Container in the body of connect and disconnect, else InvalidArgument. */
export function decodeMember(body: Uint8Array): string {
  const { Container: containerRef } = membershipBody(parseJsonBody(body), placeOf('NetworkConnect'));
  if (containerRef === '') throw new EngineError('InvalidArgument', 'invalid name or ID supplied: ""');
  return containerRef;
}
