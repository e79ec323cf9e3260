import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEFT_OUT_FIELDS } from '../../src/policy/left-out-fields.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { createScorecard } from '../support/scorecard.ts';

// Go's decoder takes a name in any case, and folds the long s and the Kelvin sign; of two equal names the last one
// counts, or both are merged. Whoever checks one spelling and carries out another is led around, so every name has one
// spelling here, once: for each field of each body, not for those that are known to be dangerous.

const score = createScorecard('spellings');
let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
  await fake.api.post('/containers/create?name=plain', { Image: 'app' });
  await fake.api.post('/containers/plain/start');
});
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

const FIELDS = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../support/api-fields.json'), 'utf8'),
) as Readonly<Record<string, readonly string[]>>;

interface Place {
  readonly path: string;
  /** The body around an object's text. */
  readonly around: (inner: string) => string;
  /** Members that the object needs to be taken at all, as text. */
  readonly besides: string;
}

const plain = (inner: string): string => `{${inner}}`;
const inHost = (inner: string): string => `{"Image":"app","HostConfig":{${inner}}}`;
const inMount = (inner: string): string => inHost(`"Mounts":[{"Type":"volume","Target":"/x",${inner}}]`);

const PLACES: Readonly<Record<string, Place>> = {
  create: { path: '/containers/create', around: plain, besides: '"Image":"app"' },
  HostConfig: { path: '/containers/create', around: inHost, besides: '' },
  Mount: { path: '/containers/create', around: inMount, besides: '' },
  BindOptions: { path: '/containers/create', around: (x) => inMount(`"BindOptions":{${x}}`), besides: '' },
  VolumeOptions: {
    path: '/containers/create',
    around: (x) => inMount(`"VolumeOptions":{${x}}`),
    besides: '',
  },
  TmpfsOptions: { path: '/containers/create', around: (x) => inMount(`"TmpfsOptions":{${x}}`), besides: '' },
  DeviceMapping: { path: '/containers/create', around: (x) => inHost(`"Devices":[{${x}}]`), besides: '' },
  EndpointSettings: {
    path: '/containers/create',
    around: (x) => `{"Image":"app","NetworkingConfig":{"EndpointsConfig":{"bridge":{${x}}}}}`,
    besides: '',
  },
  update: { path: '/containers/plain/update', around: plain, besides: '' },
  exec: { path: '/containers/plain/exec', around: plain, besides: '"Cmd":["x"]' },
  'network create': { path: '/networks/create', around: plain, besides: '"Name":"other"' },
  'network connect': { path: '/networks/net/connect', around: plain, besides: '"Container":"plain"' },
  'volume create': { path: '/volumes/create', around: plain, besides: '"Name":"other"' },
  commit: { path: '/commit?container=plain', around: plain, besides: '' },
};

/** Other spellings of a name that Go's decoder takes for it. */
function spellings(name: string): readonly string[] {
  const kelvin = name.replace(/k/i, '\u212a');
  const longS = name.replace(/s/i, '\u017f');
  const all = [
    name.toLowerCase(),
    name.toUpperCase(),
    kelvin,
    longS,
    `${name.charAt(0).toLowerCase()}${name.slice(1)}`,
  ];
  return [...new Set(all)].filter((one) => one !== name);
}

const join = (...members: readonly string[]): string => members.filter((one) => one !== '').join(',');

// docker-py writes one name of an exec in two spellings, and some write the container beside it.
const TWO_SPELLINGS = new Set(['detachKeys', 'container']);

describe.each(Object.entries(PLACES))('%s', (kind, { path, around, besides }) => {
  const names = (FIELDS[kind] ?? []).filter((name) => !Object.hasOwn(LEFT_OUT_FIELDS[kind] ?? {}, name));

  it('has fields', () => {
    expect(names.length).toBeGreaterThan(0);
  });

  it('takes no other spelling of any of them, even of nothing', async () => {
    for (const name of names)
      for (const spelling of spellings(name).filter((one) => !TWO_SPELLINGS.has(one)))
        await score.row(async () => {
          const { status, message } = await fake.api.post(path, around(join(besides, `"${spelling}":null`)));
          expect({ status, message }, spelling).toEqual({
            status: 400,
            message: expect.stringContaining('names are case-sensitive') as string,
          });
        });
  });

  it('takes none of them twice', async () => {
    for (const name of names.filter((one) => !besides.includes(`"${one}"`)))
      for (const twice of [
        `"${name}":null,"${name}":null`,
        `"${name}":null,"\\u${escapeOf(name)}${name.slice(1)}":null`,
      ])
        await score.row(async () => {
          const { status, message } = await fake.api.post(path, around(join(besides, twice)));
          expect({ status, message }, twice).toEqual({
            status: 400,
            message: expect.stringContaining('duplicate key') as string,
          });
        });
  });
});

function escapeOf(name: string): string {
  return name.charCodeAt(0).toString(16).padStart(4, '0');
}

describe('whatever a header says', () => {
  it.each([
    { 'X-HTTP-Method-Override': 'DELETE' },
    { 'X-HTTP-Method': 'DELETE' },
    { 'X-Method-Override': 'DELETE' },
    { 'X-Original-URL': '/containers/plain?force=1' },
    { 'X-Rewrite-URL': '/containers/plain?force=1' },
    { 'X-Forwarded-Host': 'evil', Forwarded: 'host=evil' },
  ])('%j changes nothing of the request', (headers) =>
    score.row(async () => {
      const connection = await fake.api.open('POST', '/containers/plain/kill?signal=0&_method=DELETE', {
        headers,
      });
      const { status } = await connection.readResponse();
      connection.close();
      expect([204, 400]).toContain(status);
      expect((await fake.api.get('/containers/plain/json')).status).toBe(200);
    }),
  );

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'text/plain; application/json',
    ', application/json',
    '',
  ])('a body of the type %j is not read as JSON', (type) =>
    score.row(async () => {
      const connection = await fake.api.open('POST', '/containers/create', {
        headers: { 'Content-Type': type },
        body: { Image: 'app', HostConfig: { Privileged: true } },
      });
      const { status } = await connection.readResponse();
      connection.close();
      expect(status).toBe(400);
    }),
  );
});
