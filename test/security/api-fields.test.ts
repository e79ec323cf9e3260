import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeCreate } from '../../src/api/containers/decode-create.ts';
import { decodeExec } from '../../src/api/containers/decode-exec.ts';
import { decodeUpdate } from '../../src/api/containers/decode-update.ts';
import { containerConfig } from '../../src/api/containers/decode-container-config.ts';
import { decodeExecStart } from '../../src/api/exec/decode-exec-start.ts';
import type { Decoded, Place } from '../../src/api/http/decode.ts';
import { parseJsonBody } from '../../src/api/http/strict-json.ts';
import { decodeConnect, decodeDisconnect, decodeNetwork } from '../../src/api/networks/decode-network.ts';
import { routes } from '../../src/api/routes.ts';
import { decodeVolume } from '../../src/api/volumes/decode-volume.ts';
import { EngineError } from '../../src/errors.ts';
import { CONTAINER_CONFIG_RULES } from '../../src/policy/container-config-rules.ts';
import { ENDPOINT_RULES } from '../../src/policy/endpoint-rules.ts';
import { EXEC_RULES, EXEC_START_RULES } from '../../src/policy/exec-rules.ts';
import { HOST_CONFIG_RULES } from '../../src/policy/host-config-rules.ts';
import { LEFT_OUT_FIELDS } from '../../src/policy/left-out-fields.ts';
import { LOGIN_RULES } from '../../src/policy/login-rules.ts';
import { CONNECT_RULES, DISCONNECT_RULES } from '../../src/policy/membership-rules.ts';
import { NETWORK_CREATE_RULES } from '../../src/policy/network-create-rules.ts';
import { PARAMETER_RULES } from '../../src/policy/parameter-rules.ts';
import { VOLUME_RULES } from '../../src/policy/volume-rules.ts';
import { startFakeJob } from '../support/fake-job.ts';
import { formatRequest, rawHttp } from '../support/raw-http.ts';

// Every field and parameter that a request has in any version of Docker's API is either decoded, and then has a row in
// the gate's tables, or is on a closed list with the reason why not. The names are facts of the API's descriptions, 1.24
// to 1.56, and of the parameters that dockerd reads without describing them.

type Names = Readonly<Record<string, readonly string[]>>;

function readNames(file: string): Names {
  return JSON.parse(readFileSync(resolve(import.meta.dirname, '../support', file), 'utf8')) as Names;
}

const FIELDS = readNames('api-fields.json');
const QUERIES = readNames('api-queries.json');

const bytes = (body: object): Uint8Array => new TextEncoder().encode(JSON.stringify(body));
/** No field takes this: a known one says what it wants instead, an unknown one is ignored or refused by name. */
const PROBE = [[{ probe: 1 }]];

type Decode = (name: string) => Decoded<unknown>;

function isDecoded(name: string, decode: Decode): boolean {
  try {
    return !decode(name).ignored.some((path) => path.split('.').at(-1) === name);
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'InvalidArgument')
      return !error.message.includes('unknown field');
    throw error;
  }
}

const create = (body: object): Decoded<unknown> => decodeCreate(bytes({ Image: 'x', ...body }), '1.51');
const mount = (member: object): Decoded<unknown> =>
  create({ HostConfig: { Mounts: [{ Type: 'volume', Target: '/x', ...member }] } });
const endpoint = (settings: object): Decoded<unknown> =>
  create({ NetworkingConfig: { EndpointsConfig: { a: settings } } });
const network = (body: object): Decoded<unknown> => decodeNetwork(bytes({ Name: 'a', ...body }));

function commit(body: object): Decoded<unknown> {
  const place: Place = { struct: 'Config', path: '', ignored: [] };
  return { request: containerConfig(parseJsonBody(bytes(body)), place), ignored: place.ignored };
}

const DECODERS: Readonly<Record<string, Decode>> = {
  create: (name) => create({ [name]: PROBE }),
  HostConfig: (name) => create({ HostConfig: { [name]: PROBE } }),
  Mount: (name) => mount({ [name]: PROBE }),
  BindOptions: (name) => mount({ BindOptions: { [name]: PROBE } }),
  VolumeOptions: (name) => mount({ VolumeOptions: { [name]: PROBE } }),
  TmpfsOptions: (name) => mount({ TmpfsOptions: { [name]: PROBE } }),
  ImageOptions: (name) => mount({ ImageOptions: { [name]: PROBE } }),
  DeviceMapping: (name) => create({ HostConfig: { Devices: [{ [name]: PROBE }] } }),
  DeviceRequest: (name) => create({ HostConfig: { DeviceRequests: [{ [name]: PROBE }] } }),
  RestartPolicy: (name) => create({ HostConfig: { RestartPolicy: { [name]: PROBE } } }),
  HealthConfig: (name) => create({ Healthcheck: { [name]: PROBE } }),
  EndpointSettings: (name) => endpoint({ [name]: PROBE }),
  EndpointIPAMConfig: (name) => endpoint({ IPAMConfig: { [name]: PROBE } }),
  update: (name) => decodeUpdate(bytes({ [name]: PROBE }), '1.51'),
  exec: (name) => decodeExec(bytes({ Cmd: ['x'], [name]: PROBE }), '1.51'),
  'network create': (name) => network({ [name]: PROBE }),
  IPAM: (name) => network({ IPAM: { [name]: PROBE } }),
  IPAMConfig: (name) => network({ IPAM: { Config: [{ [name]: PROBE }] } }),
  'network connect': (name) => decodeConnect(bytes({ Container: 'x', [name]: PROBE })),
  'network disconnect': (name) => decodeDisconnect(bytes({ Container: 'x', [name]: PROBE })),
  'exec start': (name) => decodeExecStart(bytes({ [name]: PROBE }), '1.51'),
  commit: (name) => commit({ [name]: PROBE }),
  'volume create': (name) => decodeVolume(bytes({ [name]: PROBE })),
};

const leftOut = (kind: string): readonly string[] => Object.keys(LEFT_OUT_FIELDS[kind] ?? {});

describe.each(Object.entries(DECODERS))('%s', (kind, decode) => {
  it('has no field that is neither decoded nor on the closed list', () => {
    const unknown = (FIELDS[kind] ?? []).filter((name) => !isDecoded(name, decode));
    expect((FIELDS[kind] ?? []).length).toBeGreaterThan(0);
    expect(unknown).toEqual(leftOut(kind));
  });

  it('does not know a name that nobody has made up', () => {
    expect(isDecoded('Zzyzx', decode)).toBe(false);
  });
});

/** The decoded request's name for a field where it is not the field's own. */
const DECODED_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  exec: { Cmd: 'argv' },
  'exec start': { Tty: 'isRaw' },
};

function rowName(kind: string, field: string, rules: object): string {
  const own = DECODED_NAMES[kind]?.[field] ?? field;
  return Object.hasOwn(rules, own) ? own : own.charAt(0).toLowerCase() + own.slice(1);
}

describe('every field that is decoded has a row in the gate', () => {
  it.each<[string, object, readonly string[]]>([
    ['HostConfig', HOST_CONFIG_RULES, []],
    ['create', CONTAINER_CONFIG_RULES, ['HostConfig', 'NetworkingConfig']],
    ['EndpointSettings', ENDPOINT_RULES, []],
    ['update', HOST_CONFIG_RULES, []],
    ['commit', CONTAINER_CONFIG_RULES, []],
    ['exec', EXEC_RULES, []],
    ['exec start', EXEC_START_RULES, []],
    ['network create', NETWORK_CREATE_RULES, []],
    ['network connect', CONNECT_RULES, []],
    ['network disconnect', DISCONNECT_RULES, []],
    ['volume create', VOLUME_RULES, []],
    ['login', LOGIN_RULES, []],
  ])('%s', (kind, rules, elsewhere) => {
    const rows = new Set([...Object.keys(rules), ...elsewhere, ...leftOut(kind)]);
    const fields = FIELDS[kind] ?? [];
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.filter((name) => !rows.has(name) && !rows.has(rowName(kind, name, rules)))).toEqual([]);
  });
});

/** Endpoints with parameters that are refused whole, whatever their parameters say. */
const REFUSED_WHOLE =
  /^\S+ \/(?:configs|nodes|secrets|services|swarm|tasks)(?:\/|$)|^\S+ \/plugins\/|^PUT \/volumes\/|^GET \/images\/(?:search|\{name\}\/attestations)$/;

function routeOf(endpointName: string): (typeof routes)[number] | undefined {
  return routes.find(
    ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)\*?/g, '{$1}')}` === endpointName,
  );
}

describe('every parameter of a query has a row in the gate', () => {
  const described = Object.entries(QUERIES);

  it.each(described.filter(([name]) => !REFUSED_WHOLE.test(name)))('%s', (name, parameters) => {
    const route = routeOf(name);
    const rows = new Set(route?.parameters ? Object.keys(PARAMETER_RULES[route.parameters]) : []);
    expect(parameters.filter((parameter) => !rows.has(parameter))).toEqual([]);
  });

  it('there are no rows of parameters that nobody has', () => {
    const known = new Map<string, Set<string>>();
    for (const [name, parameters] of described) {
      const table = routeOf(name)?.parameters;
      if (table) known.set(table, new Set([...(known.get(table) ?? []), ...parameters]));
    }
    for (const [table, rows] of Object.entries(PARAMETER_RULES)) {
      // Two ways to save have different parameters.
      expect(
        Object.keys(rows).filter((name) => known.get(table)?.has(name) !== true),
        table,
      ).toEqual([]);
    }
  });

  it('endpoints that have no table are refused whole', async () => {
    const fake = await startFakeJob();
    try {
      for (const [name, parameters] of described.filter(([one]) => REFUSED_WHOLE.test(one))) {
        const [method = '', path = ''] = name.split(' ');
        const query = parameters.map((parameter) => `${parameter}=1`).join('&');
        const at = `${path.replaceAll(/\{\w+\}/g, 'app')}?${query}`;
        const { status } = await rawHttp(fake.app.socketPath, formatRequest({ method, path: at }), {
          method,
        });
        expect([404, 405, 501, 503], name).toContain(status);
      }
    } finally {
      await fake.close();
    }
  });
});

describe('an unknown name that sounds as if it widened rights is refused', () => {
  const NAMES = [
    'PrivilegedMode',
    'CapAddExtra',
    'SeccompProfile',
    'DeviceAllow',
    'HostNamespace',
    'MountOptions',
  ];

  it.each(NAMES)('HostConfig.%s', (name) => {
    expect(() => create({ HostConfig: { [name]: true } })).toThrow('unknown field');
  });

  const bodies = Object.entries(DECODERS).filter(([kind]) =>
    /^(?:create|update|exec|exec start|commit|network \w+|volume create)$/.test(kind),
  );

  it.each(bodies)('of %s', (_kind, decode) => {
    for (const name of NAMES) expect(() => decode(name)).toThrow('unknown field');
  });
});
