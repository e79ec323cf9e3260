import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OciSpec } from '../../src/oci/spec-types.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { createScorecard } from '../support/scorecard.ts';

// Attacks through networks, ports, names and execs. What is refused leaves nothing behind; what is taken is what was asked.

const score = createScorecard('attacks by networks, ports and execs');
let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

const create = (body: object): ReturnType<FakeJob['api']['post']> =>
  fake.api.post('/containers/create?name=attack', { Image: 'app', ...body });
const bound = (HostPort: string, port = '80/tcp'): object => ({
  HostConfig: { PortBindings: { [port]: [{ HostPort }] } },
});

describe('a container is refused', () => {
  it.each<[string, object, number]>([
    [
      'a capability beside the processes of its own',
      { HostConfig: { PidMode: 'container:mine', CapAdd: ['SYS_PTRACE'] } },
      403,
    ],
    ['a multicast hardware address', { MacAddress: '01:00:5e:00:00:01' }, 400],
    ['the broadcast hardware address', { MacAddress: 'ff:ff:ff:ff:ff:ff' }, 400],
    ['a hardware address of two lines', { MacAddress: '02:42:ac:11:00:02\n' }, 400],
    ['a port beyond the last', bound('99999'), 400],
    ['a negative port', bound('-1'), 400],
    ['a port with a command', bound('80;x'), 400],
    ['a hexadecimal port', bound('0x50'), 400],
    ['a range backwards', bound('90-80'), 400],
    ['every port by a range', bound('1-65535', '1-65535/tcp'), 400],
    ['another protocol', bound('80', '80/xxx'), 400],
    ['an exposed port that is none', { ExposedPorts: { '0/tcp': {} } }, 400],
    ['a resolver option of two lines', { HostConfig: { DnsOptions: ['a\nb'] } }, 400],
    ['a search domain of two lines', { HostConfig: { DnsSearch: ['a\nb'] } }, 400],
    ['a domain name of two lines', { Domainname: 'a\nb' }, 400],
    ['a host name with a slash', { Hostname: 'a/b' }, 400],
    ['a host name of 80 characters', { Hostname: 'a'.repeat(80) }, 400],
    ['an extra host of two lines', { HostConfig: { ExtraHosts: ['a:1.2.3.4\nx'] } }, 400],
    ["a link to what is nobody's", { HostConfig: { Links: ['foreign:x'] } }, 400],
    [
      'an alias of two words',
      { NetworkingConfig: { EndpointsConfig: { bridge: { Aliases: ['a b'] } } } },
      400,
    ],
    ['memory of a node that is not there', { HostConfig: { CpusetMems: '0-7' } }, 400],
  ])('%s', (_name, body, status) =>
    score.row(async () => {
      await fake.api.post('/containers/create?name=mine', { Image: 'app' });
      const answer = await create(body);
      expect(answer.status, answer.message).toBe(status);
      expect(fake.job.containers.all().map(({ record }) => record.name)).toEqual(['mine']);
    }),
  );
});

it('two networks are refused to a client of before they could be had', () =>
  score.row(async () => {
    const NetworkingConfig = { EndpointsConfig: { bridge: {}, other: {} } };
    const { status, message } = await fake.api.post('/v1.43/containers/create', {
      Image: 'app',
      NetworkingConfig,
    });
    expect(message).toBe('Container cannot be created with multiple network endpoints: bridge, other');
    expect(status).toBe(400);
    expect(fake.job.containers.all()).toEqual([]);
  }));

describe('a container gets', () => {
  it.each(['0', ''])("a free port of the job's where it asks for %j", (port) =>
    score.row(async () => {
      expect((await create(bound(port))).status).toBe(201);
    }),
  );

  it("a network namespace by its path, never by a process's number", () =>
    score.row(async () => {
      const { body } = await create({});
      const { spec } = await fake.job.containerd.containers.get((body as { readonly Id: string }).Id);
      const { linux } = JSON.parse(Buffer.from(spec.value).toString()) as OciSpec;
      const path = linux.namespaces.find(({ type }) => type === 'network')?.path;
      expect(path).toMatch(/^\/fake\/netns\//);
    }));
});

describe('a network is refused', () => {
  it.each<[string, string, number]>([
    ['the name of a predefined one', 'host', 403],
    ['another of these', 'none', 403],
    ['the third', 'bridge', 403],
    ['what reads as a mode', 'container:x', 400],
    ['a path', '../', 400],
    ['two lines', 'a\nb', 400],
    ['nothing', '', 400],
    ['a megabyte', 'n'.repeat(1 << 20), 400],
  ])('%s as its name', (_name, Name, status) =>
    score.row(async () => {
      expect((await fake.api.post('/networks/create', { Name })).status).toBe(status);
    }),
  );

  it.each(['overlay', 'macvlan', 'ipvlan', '../x', 'host'])('the driver %s', (Driver) =>
    score.row(async () => {
      const { status } = await fake.api.post('/networks/create', { Name: 'mine', Driver });
      expect([400, 403, 404]).toContain(status);
    }),
  );

  it.each(['bridge', 'host', 'none'])('the removal of %s', (name) =>
    score.row(async () => {
      const { status, message } = await fake.api.delete(`/networks/${name}`);
      expect([status, message]).toEqual([403, `${name} is a pre-defined network and cannot be removed`]);
    }),
  );
});

describe('an exec', () => {
  it.each<[string, unknown]>([
    ['nothing', []],
    ['an empty word', ['']],
    ['a number', [1]],
    ['an object', { 0: 'sh', length: 1 }],
    ['a nested list', [['sh']]],
  ])('of %s is refused', (_name, Cmd) =>
    score.row(async () => {
      await create({ Cmd: ['signals'] });
      await fake.api.post('/containers/attack/start');
      expect((await fake.api.post('/containers/attack/exec', { Cmd })).status).toBe(400);
      expect(fake.job.execs.size).toBe(0);
    }),
  );

  it('of a string is one word', () =>
    score.row(async () => {
      await create({ Cmd: ['signals'] });
      await fake.api.post('/containers/attack/start');
      const { status } = await fake.api.post('/containers/attack/exec', { Cmd: 'sh -c id' });
      expect([201, 400]).toContain(status);
      for (const { request } of fake.job.execs.values()) expect(request.argv).toEqual(['sh -c id']);
    }));
});
