import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { formatRequest, openRaw } from '../support/raw-http.ts';

// Every rule of the gate at every door: refused, in useful words, before anything is looked up or touched.

let fake: FakeJob;
let execPath: string;

beforeAll(async () => {
  fake = await startFakeJob();
  const { body } = await fake.api.post('/containers/create?name=plain', { Image: 'app' });
  execPath = `/containers/${(body as { readonly Id: string }).Id}/exec`;
  await fake.api.post('/containers/plain/start');
});
beforeEach(() => {
  fake.containerd.setDown(false);
});
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

interface Rule {
  readonly body: object | string;
  /** Part of the refusal: the field. */
  readonly field: string;
  /** True where the operator's setting opens it. */
  readonly hasSetting: boolean;
}

const host = (hostConfig: object): object => ({ Image: 'not-here', HostConfig: hostConfig });

const RULES: Readonly<Record<string, Rule>> = {
  Privileged: { body: host({ Privileged: true }), field: 'HostConfig.Privileged', hasSetting: true },
  'Privileged, escaped': {
    body: '{"Image":"not-here","HostConfig":{"Priv\\u0069leged":true}}',
    field: 'HostConfig.Privileged',
    hasSetting: true,
  },
  CapAdd: { body: host({ CapAdd: ['SYS_ADMIN'] }), field: 'HostConfig.CapAdd', hasSetting: true },
  'CapAdd as a string': { body: host({ CapAdd: 'all' }), field: 'HostConfig.CapAdd', hasSetting: true },
  'seccomp=unconfined': {
    body: host({ SecurityOpt: ['seccomp=unconfined'] }),
    field: 'HostConfig.SecurityOpt',
    hasSetting: true,
  },
  'apparmor:unconfined': {
    body: host({ SecurityOpt: ['apparmor:unconfined'] }),
    field: 'HostConfig.SecurityOpt',
    hasSetting: true,
  },
  'no masked paths': { body: host({ MaskedPaths: [] }), field: 'HostConfig.MaskedPaths', hasSetting: true },
  'no read-only paths': {
    body: host({ ReadonlyPaths: [] }),
    field: 'HostConfig.ReadonlyPaths',
    hasSetting: true,
  },
  'PidMode host': { body: host({ PidMode: 'host' }), field: 'HostConfig.PidMode', hasSetting: true },
  'IpcMode host': { body: host({ IpcMode: 'host' }), field: 'HostConfig.IpcMode', hasSetting: true },
  'UTSMode host': { body: host({ UTSMode: 'host' }), field: 'HostConfig.UTSMode', hasSetting: true },
  'CgroupnsMode host': {
    body: host({ CgroupnsMode: 'host' }),
    field: 'HostConfig.CgroupnsMode',
    hasSetting: true,
  },
  'a device': {
    body: host({ Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda' }] }),
    field: 'HostConfig.Devices',
    hasSetting: true,
  },
  'a device rule': {
    body: host({ DeviceCgroupRules: ['a *:* rwm'] }),
    field: 'HostConfig.DeviceCgroupRules',
    hasSetting: true,
  },
  'a CDI device': {
    body: host({ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['vendor.com/dev=all'] }] }),
    field: 'HostConfig.DeviceRequests',
    hasSetting: true,
  },
  'a sysctl of the machine': {
    body: host({ Sysctls: { 'kernel.core_pattern': '|/x' } }),
    field: 'HostConfig.Sysctls',
    hasSetting: false,
  },
  'a shared bind': { body: host({ Binds: ['/a:/b:shared'] }), field: 'HostConfig.Binds', hasSetting: false },
  OomScoreAdj: { body: host({ OomScoreAdj: -1000 }), field: 'HostConfig.OomScoreAdj', hasSetting: true },
  'a volume driver': {
    body: host({ VolumeDriver: 'nfs', Binds: ['named:/x'] }),
    field: 'HostConfig.VolumeDriver',
    hasSetting: false,
  },
};

interface Door {
  readonly prefix?: string;
  readonly send: (path: string, body: string) => Buffer;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const plain = (headers: object = {}): Door['send'] => {
  return (path, body) => formatRequest({ method: 'POST', path, headers: { ...JSON_TYPE, ...headers }, body });
};

/** The body in chunks of seven bytes, so that no field's name is in one piece. */
function chunked(path: string, body: string): Buffer {
  const pieces = body.match(/[^]{1,7}/g) ?? [];
  const chunks = pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`).join('');
  const headers = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' };
  return Buffer.concat([formatRequest({ method: 'POST', path, headers }), Buffer.from(`${chunks}0\r\n\r\n`)]);
}

const VERSIONS = ['1.24', '1.30', '1.40', '1.41', '1.44', '1.47', '1.51'];

const DOORS: Readonly<Record<string, Door>> = {
  plain: { send: plain() },
  'with an upgrade': { send: plain({ Connection: 'Upgrade', Upgrade: 'tcp' }) },
  'with an upgrade to h2c': { send: plain({ Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c' }) },
  'in chunks': { send: chunked },
  'after an Expect': { send: plain({ Expect: '100-continue' }) },
  'to another host': { send: plain({ Host: 'evil.example' }) },
  'with a charset': { send: plain({ 'Content-Type': 'application/json; charset=utf-8' }) },
  ...Object.fromEntries(
    VERSIONS.map((version) => [`v${version}`, { prefix: `/v${version}`, send: plain() }]),
  ),
};

/** Sends on a connection of its own and answers the final response. */
async function refusal(bytes: Buffer): Promise<{ readonly status: number; readonly message: string }> {
  const connection = await openRaw(fake.app.socketPath);
  try {
    connection.send(bytes);
    let answer = await connection.readResponse();
    while (answer.status === 100) answer = await connection.readResponse();
    const body: unknown = JSON.parse(answer.body.toString());
    const { message } = body as { readonly message: string };
    return { status: answer.status, message };
  } finally {
    connection.close();
  }
}

/** Calls of containerd and of registries, and sandboxes made, so far. */
function touched(): readonly number[] {
  return [fake.containerd.totalCalls(), fake.registryCalls(), fake.network.calls()];
}

const textOf = (body: object | string): string => (typeof body === 'string' ? body : JSON.stringify(body));

describe.each(Object.entries(DOORS))('%s', (_door, { prefix = '', send }) => {
  it.each(Object.entries(RULES))('create with %s', async (_rule, { body, field, hasSetting }) => {
    const before = touched();
    const { status, message } = await refusal(send(`${prefix}/containers/create?name=refused`, textOf(body)));
    expect({ status, message }).toEqual({ status: 403, message: expect.stringContaining(field) as string });
    expect(message.includes('dind.allow_privileged')).toBe(hasSetting);
    expect(message.length).toBeGreaterThan(field.length + 40);
    expect(touched()).toEqual(before);
    expect(fake.job.containers.hasName('refused')).toBe(false);
  });

  it('exec with Privileged', async () => {
    const before = touched();
    const { status, message } = await refusal(send(prefix + execPath, '{"Cmd":["id"],"Privileged":true}'));
    expect({ status, message }).toEqual({
      status: 403,
      message: expect.stringMatching(/^exec privileged true .*dind\.allow_privileged/) as string,
    });
    expect(touched()).toEqual(before);
  });

  it('a start with a HostConfig', async () => {
    const before = touched();
    const body = JSON.stringify({ Privileged: true, Binds: ['/:/host'] });
    const { status, message } = await refusal(send(`${prefix}/containers/plain/start`, body));
    expect({ status, message }).toEqual({
      status: 400,
      message: expect.stringMatching(/^starting container with non-empty request body/) as string,
    });
    expect(touched()).toEqual(before);
  });
});

describe('whatever else is wrong, the refusal comes first', () => {
  it.each(Object.entries(RULES))('%s, while containerd is down', async (_rule, { body }) => {
    fake.containerd.setDown(true);
    const before = touched();
    expect((await refusal(plain()('/containers/create', textOf(body)))).status).toBe(403);
    expect(touched()).toEqual(before);
  });

  it.each<[string, object]>([
    ['a name that is none', {}],
    ['a working directory that is none', { WorkingDir: 'relative' }],
    ['an image that is no reference', { Image: '::' }],
  ])('%s', async (_name, more) => {
    const body = JSON.stringify({ ...host({ Privileged: true }), ...more });
    expect((await refusal(plain()('/containers/create?name=*', body))).status).toBe(403);
  });

  it('the exec of a container that is not there', async () => {
    const { status } = await refusal(plain()('/containers/none/exec', '{"Cmd":["x"],"Privileged":true}'));
    expect(status).toBe(403);
  });
});

describe('no other path leads around it', () => {
  it.each([
    '/Containers/CREATE',
    '/containers/create/',
    '/v1.45/v1.45/containers/create',
    '/v9/containers/create',
    '/v1.45x/containers/create',
    '/very/containers/create',
    '/v1.00000000045/containers/create',
    '/v1.99/containers/create',
    '/v1.12/containers/create',
    '/containers//create',
    '/containers/./create',
    '/x/../containers/create',
    '/containers/%2e%2e/containers/create',
    '/containers/create;x',
    'http://node/containers/create',
  ])('%s creates nothing', async (path) => {
    const before = touched();
    const connection = await openRaw(fake.app.socketPath);
    connection.send(plain()(path, JSON.stringify({ Image: 'app', HostConfig: { Privileged: true } })));
    const { status } = await connection.readResponse();
    connection.close();
    expect([301, 400, 403, 404]).toContain(status);
    expect(touched()).toEqual(before);
  });
});
