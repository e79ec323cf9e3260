import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readHostResolvers } from './host-resolvers.ts';
import { formatHostnameFile, formatHostsFile, type HostsFacts } from './hosts-file.ts';
import { forContainers, formatResolvConf, parseResolvConf, type ResolverOverrides } from './resolv-conf.ts';

const noOverrides: ResolverOverrides = { nameServers: [], search: [], options: [] };
const fallback = ['8.8.8.8', '8.8.4.4'];

describe('resolv.conf', () => {
  test('is read as the resolver reads it', () => {
    const text =
      '# nameserver 1.1.1.1\n;x\nnameserver 10.0.0.1\nnameserver\tfd00::1 # x\nnameserver nonsense\nnameserver\n' +
      'search one.example\nsearch two.example three.example\noptions ndots:2\noptions edns0 rotate\nsortlist 10.0.0.0\n';
    expect(parseResolvConf(text)).toEqual({
      nameServers: ['10.0.0.1', 'fd00::1'],
      search: ['two.example', 'three.example'],
      options: ['ndots:2', 'edns0', 'rotate'],
    });
    expect(parseResolvConf('domain example.org\n').search).toEqual(['example.org']);
  });

  test.each([
    [['10.0.0.1', '127.0.0.53', '::1', 'fd00::1'], ['10.0.0.1']],
    [['127.0.0.53'], []],
    [[], fallback],
    [['127.8.8.8', '0.0.0.0', 'fd00::1'], []],
  ])('of the servers %j containers can ask %j', (nameServers, expected) => {
    const found = forContainers({ nameServers, search: [], options: [] });
    expect(found.nameServers).toEqual(expected);
    expect(found.areGuessed).toBe(nameServers.length === 0);
  });

  test('has servers that the host alone can ask', () => {
    const nameServers = ['10.0.0.1', '127.0.0.53', 'fd00::1', '0.0.0.0', '::'];
    expect(forContainers({ nameServers, search: [], options: [] }).hostOnly).toEqual([
      '127.0.0.53',
      'fd00::1',
      '127.0.0.1',
      '::1',
    ]);
  });

  test("is written in Docker's order, each part replaced only by one that is given", () => {
    const base = { nameServers: ['10.0.0.1', '10.0.0.2'], search: ['example.org'], options: ['ndots:2'] };
    expect(formatResolvConf(base, noOverrides)).toBe(
      'nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch example.org\noptions ndots:2\n',
    );
    const overrides = { nameServers: ['192.0.2.1'], search: ['.'], options: ['rotate', 'timeout:1'] };
    expect(formatResolvConf(base, overrides)).toBe('nameserver 192.0.2.1\noptions rotate timeout:1\n');
  });

  test.each([
    { ...noOverrides, nameServers: ['10.0.0.1\nnameserver 10.6.6.6'] },
    { ...noOverrides, nameServers: [''] },
    { ...noOverrides, search: ['a\nnameserver 10.6.6.6'] },
    { ...noOverrides, search: ['a b'] },
    { ...noOverrides, options: ['a\rb'] },
    { ...noOverrides, options: [''] },
  ])('refuses a value that is more than a word: %j', (overrides) => {
    expect(() => formatResolvConf({ ...noOverrides, nameServers: fallback }, overrides)).toThrow('invalid');
  });
});

describe("the host's resolvers", () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-resolvers-'));
    writeFileSync(join(directory, 'stub'), 'nameserver 127.0.0.53\noptions edns0\n');
    writeFileSync(join(directory, 'upstream'), 'nameserver 10.0.0.9\nsearch example.org\n');
    writeFileSync(join(directory, 'own'), 'nameserver 10.0.0.1\n');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    [['stub', 'upstream'], ['10.0.0.9']],
    [['own', 'upstream'], ['10.0.0.1']],
    [['stub', 'absent'], []],
    [['absent', 'upstream'], fallback],
  ])('in the files %j are %j', async (names, expected) => {
    const files = names.map((name) => join(directory, name));
    expect((await readHostResolvers(files)).nameServers).toEqual(expected);
  });
});

describe('the hosts file', () => {
  const facts: HostsFacts = {
    hostname: 'web',
    domainname: '',
    addresses: ['172.17.0.2'],
    extraHosts: [],
    linkedHosts: [],
    gateway: '172.17.0.1',
  };
  const machine =
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n' +
    'ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n';

  test.each([
    [{}, '172.17.0.2\tweb\n'],
    [{ domainname: 'example.org' }, '172.17.0.2\tweb.example.org web\n'],
    [{ hostname: 'web.example.org' }, '172.17.0.2\tweb.example.org web\n'],
    [{ addresses: [] }, ''],
    [
      { linkedHosts: [{ address: '172.17.0.9', names: ['db', 'dbhost', 'c9'] }] },
      '172.17.0.9\tdb dbhost c9\n172.17.0.2\tweb\n',
    ],
    [
      { extraHosts: ['db:192.0.2.9', 'host.docker.internal:host-gateway', 'six:2001:db8::1'] },
      '192.0.2.9\tdb\n172.17.0.1\thost.docker.internal\n2001:db8::1\tsix\n172.17.0.2\tweb\n',
    ],
  ])('with %j ends in %j', (change, expected) => {
    expect(formatHostsFile({ ...facts, ...change })).toBe(`${machine}${expected}`);
  });

  test.each([
    ['db', 'bad format for add-host: "db"'],
    [':10.0.0.1', 'bad format for add-host: ":10.0.0.1"'],
    ['db:nowhere', 'invalid IP address in add-host: "nowhere"'],
    ['db:10.0.0.1\n10.0.0.2 x', 'invalid IP address in add-host'],
    ['d b:10.0.0.1', 'invalid host name'],
    ['db\n10.0.0.2\tx:10.0.0.1', 'invalid host name'],
  ])('refuses the extra host %j', (extraHost, message) => {
    expect(() => formatHostsFile({ ...facts, extraHosts: [extraHost] })).toThrow(message);
  });

  test('refuses a host name that is more than a word', () => {
    expect(formatHostnameFile('web')).toBe('web\n');
    expect(() => formatHostnameFile('web\n10.0.0.1 x')).toThrow('invalid host name');
  });
});
