import { decodeLogin } from '../api/auth/routes.ts';
import { decodeBuild } from '../api/build/decode-build.ts';
import { containerConfig } from '../api/containers/decode-container-config.ts';
import { decodeCreate } from '../api/containers/decode-create.ts';
import { decodeExec } from '../api/containers/decode-exec.ts';
import { decodeUpdate } from '../api/containers/decode-update.ts';
import { requireNoStartBody } from '../api/containers/routes.ts';
import { decodeExecStart } from '../api/exec/decode-exec-start.ts';
import { isAtLeast, type ApiVersion } from '../api/http/api-version.ts';
import type { Decoded, Place } from '../api/http/decode.ts';
import type { Query } from '../api/http/query.ts';
import { parseJsonBody } from '../api/http/strict-json.ts';
import { decodeConnect, decodeDisconnect, decodeNetwork } from '../api/networks/decode-network.ts';
import { decodeVolume } from '../api/volumes/decode-volume.ts';
import { checkTag } from '../engine/build/build-image.ts';
import { networkRequestOf } from '../engine/networks/create-network.ts';
import { parseDetachKeys } from '../engine/containers/parse-detach-keys.ts';
import { registryOf } from '../engine/images/login-registry.ts';
import { checkImageNames } from '../engine/images/save-images.ts';
import { checkVolumeName } from '../engine/volumes/volume-name.ts';
import { checkNetworkRequest } from '../network/check-request.ts';
import {
  admitCommit,
  admitConnect,
  admitDisconnect,
  admitLogin,
  admitNetwork,
  admitVolume,
} from '../policy/admit-requests.ts';
import type { GateContext } from '../policy/gate-context.ts';
import { admitBuild, admitExec, admitUpdate } from '../policy/privileged-gate.ts';
import type { Reading } from './explain-request.ts';

/** A request with its query read. */
export interface Asked {
  readonly query: Query<string>;
  readonly body: Uint8Array;
  readonly apiVersion: ApiVersion;
}

/** What a body's gate says: warnings, members that nobody knows, and what is left to those who carry it out. */
export interface Told {
  readonly warnings: readonly string[];
  readonly ignored: readonly string[];
  readonly readings?: readonly Reading[];
}

type Door = (asked: Asked, gate: GateContext) => Told;

interface DoorParts<T> {
  readonly decode: (asked: Asked) => Decoded<T>;
  readonly admit: (request: T, gate: GateContext) => readonly string[];
  /** Readers of values that the gate leaves to them. */
  readonly readings?: (request: T, asked: Asked) => readonly Reading[];
}

function door<T>({ decode, admit, readings }: DoorParts<T>): Door {
  return (asked, gate) => {
    const { request, ignored } = decode(asked);
    return { warnings: admit(request, gate), ignored, readings: readings?.(request, asked) ?? [] };
  };
}

/** The doors that a body goes through, by their routes; other endpoints have parameters at most. */
export const BODY_DOORS: Readonly<Record<string, Door>> = {
  'POST /containers/create': ({ body, apiVersion }) => {
    const { Image: image } = decodeCreate(body, apiVersion).request.config;
    const read = (): void => {
      checkImageNames([image]);
    };
    return { warnings: [], ignored: [], readings: image === '' ? [] : [{ field: 'Config.Image', read }] };
  },
  'POST /auth': door({
    decode: ({ body }) => decodeLogin(body),
    admit: admitLogin,
    readings: ({ serveraddress: address }) => [{ field: 'serveraddress', read: () => registryOf(address) }],
  }),
  'POST /volumes/create': door({
    decode: ({ body }) => decodeVolume(body),
    admit: admitVolume,
    readings: ({ name }) => [
      {
        field: 'volume name',
        read: () => {
          if (name !== '') checkVolumeName(name);
        },
      },
    ],
  }),
  'POST /networks/create': door({
    decode: ({ body }) => decodeNetwork(body),
    admit: admitNetwork,
    readings: (request, { apiVersion }) => [
      {
        field: 'network IPAM',
        read: () => {
          const mayHaveHostBits = !isAtLeast(apiVersion, '1.44');
          checkNetworkRequest(networkRequestOf(request, { mayHaveHostBits }));
        },
      },
    ],
  }),
  'POST /networks/:id/connect': door({ decode: ({ body }) => decodeConnect(body), admit: admitConnect }),
  'POST /networks/:id/disconnect': door({
    decode: ({ body }) => decodeDisconnect(body),
    admit: admitDisconnect,
  }),
  'POST /containers/:id/exec': door({
    decode: ({ body, apiVersion }) => decodeExec(body, apiVersion),
    admit: (request, gate) => admitExec(request, gate).warnings,
    readings: ({ detachKeys }) => [
      { field: 'exec detachKeys', read: () => parseDetachKeys(detachKeys, 'escape') },
    ],
  }),
  'POST /containers/:id/start': ({ body }) => {
    requireNoStartBody(body);
    return { warnings: [], ignored: [] };
  },
  'POST /exec/:id/start': ({ body, apiVersion }) => ({
    warnings: [],
    ignored: decodeExecStart(body, apiVersion).ignored,
  }),
  'POST /containers/:id/update': door({
    decode: ({ body, apiVersion }) => decodeUpdate(body, apiVersion),
    admit: (request, gate) => admitUpdate(plainContainer(), request, gate).warnings,
  }),
  'POST /build': door({
    decode: ({ query, apiVersion }) => ({ request: decodeBuild(query, apiVersion), ignored: [] }),
    admit: (request, gate) => admitBuild(request, gate).warnings,
    readings: ({ tags }) => tags.map((tag) => ({ field: 'build tags', read: () => checkTag(tag) })),
  }),
  'POST /commit': (asked, gate) => {
    const document = asked.body.length === 0 ? null : parseJsonBody(asked.body);
    if (document === null) return { warnings: [], ignored: [] };
    const place: Place = { struct: 'Config', path: '', ignored: [] };
    return { warnings: admitCommit(containerConfig(document, place), gate), ignored: place.ignored };
  },
};

/** Stands for the container of an update: what it is does not change what an update may ask for. */
function plainContainer(): ReturnType<typeof decodeCreate>['request'] {
  return decodeCreate(Buffer.from('{"Image":"(image)"}'), '1.51').request;
}
