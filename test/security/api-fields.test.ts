import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeCreate } from '../../src/api/containers/decode-create.ts';
import { decodeExec } from '../../src/api/containers/decode-exec.ts';
import { decodeUpdate } from '../../src/api/containers/decode-update.ts';
import { decodeMembership, decodeNetwork } from '../../src/api/networks/decode-network.ts';
import { decodeVolume } from '../../src/api/volumes/decode-volume.ts';
import { EngineError } from '../../src/errors.ts';
import { CONTAINER_CONFIG_RULES } from '../../src/policy/container-config-rules.ts';
import { ENDPOINT_RULES } from '../../src/policy/endpoint-rules.ts';
import { HOST_CONFIG_RULES } from '../../src/policy/host-config-rules.ts';
import { LEFT_OUT_FIELDS } from '../../src/policy/left-out-fields.ts';

// Every field that a request has in any version of Docker's API is either decoded, and then has a row in the gate's
// tables, or is on a closed list with the reason why not. The names are facts of the API's descriptions, 1.25 to 1.56.

type Names = Readonly<Record<string, readonly string[]>>;
const FIELDS = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../support/api-fields.json'), 'utf8'),
) as Names;

const bytes = (body: object): Uint8Array => new TextEncoder().encode(JSON.stringify(body));
/** No field takes this: a known one says what it wants instead, an unknown one is ignored or refused by name. */
const PROBE = [[{ probe: 1 }]];

function isDecoded(name: string, decode: () => { readonly ignored?: readonly string[] } | object): boolean {
  try {
    const decoded = decode();
    const ignored = 'ignored' in decoded ? decoded.ignored : [];
    return !ignored.some((path) => path.split('.').at(-1) === name);
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'InvalidArgument')
      return !error.message.includes('unknown field');
    throw error;
  }
}

type Decode = (name: string) => object;
const create = (body: object): object => decodeCreate(bytes({ Image: 'x', ...body }), '1.51');
const mount = (member: object): object =>
  create({ HostConfig: { Mounts: [{ Type: 'volume', Target: '/x', ...member }] } });
const endpoint = (settings: object): object =>
  create({ NetworkingConfig: { EndpointsConfig: { a: settings } } });
const network = (body: object): object => decodeNetwork(bytes({ Name: 'a', ...body }));

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
  update: (name) => decodeUpdate(bytes({ [name]: PROBE })),
  exec: (name) => decodeExec(bytes({ Cmd: ['x'], [name]: PROBE }), '1.51'),
  'network create': (name) => network({ [name]: PROBE }),
  IPAM: (name) => network({ IPAM: { [name]: PROBE } }),
  IPAMConfig: (name) => network({ IPAM: { Config: [{ [name]: PROBE }] } }),
  'network connect': (name) => decodeMembership(bytes({ Container: 'x', [name]: PROBE })),
  'network disconnect': (name) => decodeMembership(bytes({ Container: 'x', [name]: PROBE })),
  'volume create': (name) => decodeVolume(bytes({ [name]: PROBE })),
};

const leftOut = (kind: string): readonly string[] => Object.keys(LEFT_OUT_FIELDS[kind] ?? {});

describe.each(Object.entries(DECODERS))('%s', (kind, decode) => {
  it('has no field that is neither decoded nor on the closed list', () => {
    const unknown = (FIELDS[kind] ?? []).filter((name) => !isDecoded(name, () => decode(name)));
    expect((FIELDS[kind] ?? []).length).toBeGreaterThan(0);
    expect(unknown).toEqual(leftOut(kind));
  });
});

describe('every field that is decoded has a row in the gate', () => {
  it.each<[string, object, readonly string[]]>([
    ['HostConfig', HOST_CONFIG_RULES, []],
    ['create', CONTAINER_CONFIG_RULES, ['HostConfig', 'NetworkingConfig']],
    ['EndpointSettings', ENDPOINT_RULES, []],
    ['update', HOST_CONFIG_RULES, []],
  ])('%s', (kind, rules, elsewhere) => {
    const rows = new Set([...Object.keys(rules), ...elsewhere, ...leftOut(kind)]);
    expect((FIELDS[kind] ?? []).filter((name) => !rows.has(name))).toEqual([]);
  });
});

/** The words in quotes of the code that answers an endpoint. */
function wordsOf(folder: string): ReadonlySet<string> {
  const directory = resolve(import.meta.dirname, '../../src/api', folder);
  const files = readdirSync(directory).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const text = files.map((file) => readFileSync(join(directory, file), 'utf8')).join('\n');
  return new Set(
    [...text.matchAll(/['"]([a-zA-Z_-]+)['"]|^\s*([a-zA-Z]+):/gm)].map(([, a, b]) => a ?? b ?? ''),
  );
}

describe.each([
  ['create query', 'containers'],
  ['commit query', 'containers'],
  ['build query', 'build'],
  ['image create query', 'images'],
  ['image load query', 'images'],
  ['image tag query', 'images'],
  ['image delete query', 'images'],
  ['image push query', 'images'],
])('%s', (kind, folder) => {
  it('has no parameter that is neither read nor on the closed list', () => {
    const words = wordsOf(folder);
    expect((FIELDS[kind] ?? []).filter((name) => !words.has(name))).toEqual(leftOut(kind));
  });
});

describe('an unknown name that sounds as if it widened rights is refused', () => {
  it.each([
    'PrivilegedMode',
    'CapAddExtra',
    'SeccompProfile',
    'DeviceAllow',
    'HostNamespace',
    'SecurityOptions',
  ])('HostConfig.%s', (name) => {
    expect(() => create({ HostConfig: { [name]: true } })).toThrow('unknown field');
  });
});
