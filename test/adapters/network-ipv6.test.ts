import { randomBytes } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { uplinkIpv6 } from '../../src/network/slots.ts';
import type { JobNetwork, NetworkRequest, Sandbox } from '../../src/network/types.ts';
import { createWorld, newContainerId, onNetworks, world, type World } from './network-support.ts';

// IPv6 of users' networks: where it leads, and where it must not.

const plainPool = { subnet: '', gateway: '', ipRange: '', auxAddresses: {} };

function withIpv6(name: string, more: Partial<NetworkRequest> = {}): NetworkRequest {
  const kind = { isConfigOnly: false, configFrom: '' };
  const flags = { isInternal: false, isAttachable: false, options: {}, labels: {} };
  return { name, ...kind, ...plainPool, ipv6: plainPool, ...flags, ...more };
}

describe('IPv6 of a job', () => {
  let host: World;
  let before = '';
  let opened: JobNetwork[] = [];
  beforeAll(async () => {
    host = await createWorld();
    await host.listen(host.outsideNetns, 7000, 'outside');
    await host.listen(host.hostNetns, 7001, 'host');
  });
  afterAll(async () => {
    await host.end();
  });
  beforeEach(async () => {
    before = await host.snapshot();
    opened = [];
  });
  afterEach(async () => {
    await host.stopListeners();
    for (const network of opened) expect(await network.close()).toEqual([]);
    expect(await host.snapshot()).toBe(before);
  });

  const openJob = async (options: Parameters<World['open']>[1] = {}): Promise<JobNetwork> => {
    const network = await host.open(host.slug(`job${randomBytes(3).toString('hex')}`), options);
    opened.push(network);
    return network;
  };
  const start = (job: JobNetwork, ...networks: readonly string[]): Promise<Sandbox> =>
    job.openSandbox({
      containerId: newContainerId(),
      containerName: 'web',
      mode: onNetworks(...networks),
      sysctls: {},
      ports: [],
      nameServers: [],
    });
  const addressOf = (sandbox: Sandbox, network: string): string =>
    sandbox.endpoints[network]?.ipv6?.address ?? '';
  const uplinkOf = async (job: JobNetwork): Promise<string> =>
    /inet6 (fd62:[\da-f:]+)/.exec(await host.run(job.netnsPath, 'ip', '-6', 'addr', 'show', 'uplink'))?.[1] ??
    '';

  test('containers and the job leave under the address of the host, in both families', async () => {
    const job = await openJob();
    await job.createNetwork(withIpv6('six'));
    const { netnsPath } = await start(job, 'six');
    for (const from of [netnsPath, job.netnsPath]) {
      expect(await host.connect(from, world.outsidePublicIpv6, 7000)).toBe(`outside ${world.hostPublicIpv6}`);
      expect(await host.connect(from, world.outsidePublic, 7000)).toBe(`outside ${world.hostPublic}`);
    }
  });

  test('each family leads out by a network that has a way for it', async () => {
    const job = await openJob();
    await job.createNetwork(withIpv6('six'));
    const { netnsPath } = await start(job, 'bridge', 'six');
    expect(await host.run(netnsPath, 'ip', 'route', 'show', 'default')).toContain('via 172.17.0.1 dev eth0');
    expect(await host.run(netnsPath, 'ip', '-6', 'route', 'show', 'default')).toContain('dev eth1');
    expect(await host.connect(netnsPath, world.outsidePublicIpv6, 7000)).toContain('outside ');
  });

  test("neither the host's addresses nor the metadata services are reached, even with egress to all", async () => {
    for (const egress of [{ kind: 'internet', allow: ['fd00::/8'] }, { kind: 'all' }] as const) {
      const job = await openJob({ egress });
      await job.createNetwork(withIpv6('six'));
      const { netnsPath } = await start(job, 'six');
      expect(await host.connect(netnsPath, world.outsidePrivateIpv6, 7000)).toContain('outside ');
      const nextHop =
        /via ([\da-f:]+)/.exec(await host.run(job.netnsPath, 'ip', '-6', 'route', 'show', 'default'))?.[1] ??
        '';
      expect(nextHop).toMatch(/^fd62:/);
      for (const from of [netnsPath, job.netnsPath]) {
        for (const address of [world.hostPublicIpv6, world.hostPrivateIpv6, nextHop])
          expect(await host.connect(from, address, 7001), address).toBe('no answer');
        expect(await host.connect(from, world.metadataIpv6, 7000)).toBe('no answer');
      }
    }
    expect(await host.connect(host.hostNetns, world.metadataIpv6, 7000)).toContain('outside ');
    expect(await host.connect(host.outsideNetns, world.hostPublicIpv6, 7001)).toContain('host ');
  });

  test.each([
    [{ kind: 'internet', allow: [] }, true, false],
    [{ kind: 'internet', allow: ['fd99::2', 'fd99::/64', '10.0.0.0/8'] }, true, true],
    [{ kind: 'none' }, false, false],
  ] as const)('egress %j', async (egress, isPublic, isPrivate) => {
    const job = await openJob({ egress });
    await job.createNetwork(withIpv6('six'));
    const { netnsPath } = await start(job, 'six');
    const answer = (isOpen: boolean): string => (isOpen ? 'outside' : 'no');
    const of = async (address: string): Promise<string | undefined> =>
      (await host.connect(netnsPath, address, 7000)).split(' ')[0];
    expect(await of(world.outsidePublicIpv6)).toBe(answer(isPublic));
    expect(await of(world.outsidePrivateIpv6)).toBe(answer(isPrivate));
  });

  test('neither another job nor the outside reaches a job', async () => {
    const [a, b] = [await openJob({ egress: { kind: 'all' } }), await openJob({ egress: { kind: 'all' } })];
    for (const job of [a, b]) await job.createNetwork(withIpv6('six'));
    const [inA, inB] = [await start(a, 'six'), await start(b, 'six')];
    await host.listen(b.netnsPath, 7002, 'b');
    await host.listen(inB.netnsPath, 7002, 'in b');
    const uplink = await uplinkOf(b);
    expect(await host.connect(host.hostNetns, uplink, 7002)).toContain('b ');
    for (const from of [inA.netnsPath, a.netnsPath, host.outsideNetns])
      expect(await host.connect(from, uplink, 7002)).toBe('no answer');
    for (const from of [inA.netnsPath, host.outsideNetns, host.hostNetns])
      expect(await host.connect(from, addressOf(inB, 'six'), 7002)).not.toContain('b ');
  });

  test('networks are walls, and an internal one leads nowhere', async () => {
    const job = await openJob();
    for (const name of ['one', 'two']) await job.createNetwork(withIpv6(name));
    await job.createNetwork(withIpv6('inner', { isInternal: true }));
    const [one, two] = [await start(job, 'one'), await start(job, 'two')];
    const [inner, sibling] = [await start(job, 'inner'), await start(job, 'inner')];
    await host.listen(two.netnsPath, 80, 'two');
    await host.listen(sibling.netnsPath, 80, 'sibling');
    expect(await host.connect(one.netnsPath, addressOf(two, 'two'), 80)).toBe('no answer');
    expect(await host.connect(inner.netnsPath, addressOf(sibling, 'inner'), 80)).toContain('sibling ');
    expect(await host.connect(inner.netnsPath, world.outsidePublicIpv6, 7000)).toBe('ENETUNREACH');
    const gateway = job.networks.find(({ name }) => name === 'inner')?.ipv6?.gateway ?? '';
    await host.run(inner.netnsPath, 'ip', '-6', 'route', 'add', 'default', 'via', gateway);
    expect(await host.connect(inner.netnsPath, world.outsidePublicIpv6, 7000)).toBe('no answer');
  });

  test('a job cannot leave under an address that is not its own', async () => {
    const rules = ['fd00::/8', world.hostPublicIpv6]
      .map((source) => `ip6 saddr ${source} counter;`)
      .join(' ');
    const chain = `chain input { type filter hook input priority 0; tcp dport 7000 jump seen; }`;
    await host.run(host.outsideNetns, 'nft', `table ip6 spoofed {\nchain seen { ${rules} }\n${chain}\n}`);
    const job = await openJob();
    await job.createNetwork(withIpv6('six'));
    await host.run(job.netnsPath, 'nft', 'flush', 'ruleset');
    const { netnsPath } = await start(job, 'six');
    expect(await host.connect(netnsPath, world.outsidePublicIpv6, 7000)).toBe('no answer');
    expect(await host.connect(job.netnsPath, world.outsidePublicIpv6, 7000)).toContain('outside');
    expect(await host.run(host.outsideNetns, 'nft', 'list', 'table', 'ip6', 'spoofed')).toMatch(
      /saddr fd00::\/8 counter packets 0 .*\s+.*2001:db8:99::1 counter packets [1-9]/,
    );
  });

  test('nobody here listens to routers, which any container could pose as', async () => {
    const job = await openJob();
    const { bridgeName } = await job.createNetwork(withIpv6('six'));
    const { netnsPath } = await start(job, 'six');
    const listens = async (netns: string, link: string): Promise<string> =>
      (await host.run(netns, 'cat', `/proc/sys/net/ipv6/conf/${link}/accept_ra`)).trim();
    const uplink = /(berth-u\d+)@/.exec(await host.run(host.hostNetns, 'ip', '-o', 'link'))?.[1] ?? '';
    expect(uplinkIpv6(uplink).jobAddress).toBe(await uplinkOf(job));
    expect(await listens(job.netnsPath, bridgeName)).toBe('0');
    expect(await listens(job.netnsPath, 'docker0')).toBe('0');
    expect(await listens(netnsPath, 'eth0')).toBe('0');
    expect(await listens(host.hostNetns, uplink)).toBe('0');
    // The host still does: its own way out may come from one.
    expect(await listens(host.hostNetns, 'wan0')).toBe('2');
  });

  test('on a host without IPv6 a container is told so at once', async () => {
    await host.run(host.hostNetns, 'ip', '-6', 'route', 'del', 'default');
    try {
      const job = await openJob();
      await job.createNetwork(withIpv6('six'));
      const [one, two] = [await start(job, 'six'), await start(job, 'six')];
      await host.listen(two.netnsPath, 80, 'two');
      expect(await host.connect(one.netnsPath, world.outsidePublicIpv6, 7000)).toBe('ENETUNREACH');
      expect(await host.connect(one.netnsPath, addressOf(two, 'six'), 80)).toContain('two ');
    } finally {
      await host.run(host.hostNetns, 'ip', '-6', 'route', 'add', 'default', 'via', world.outsidePublicIpv6);
    }
  });

  test('the next process of the job keeps the way out', async () => {
    const slug = host.slug('again-six');
    const first = await host.open(slug);
    await first.createNetwork(withIpv6('six'));
    const { netnsPath } = await start(first, 'six');
    const second = await host.open(slug);
    opened.push(second);
    expect(await host.connect(netnsPath, world.outsidePublicIpv6, 7000)).toBe(
      `outside ${world.hostPublicIpv6}`,
    );
  });

  test('in a namespace that is there already networks lead out too, though it drops what it forwards', async () => {
    const job = await openJob({ choice: { kind: 'path', path: host.hostNetns } });
    const six = await job.createNetwork(withIpv6('six'));
    const { netnsPath } = await start(job, 'six');
    expect(await host.connect(netnsPath, world.outsidePublicIpv6, 7000)).toBe(
      `outside ${world.hostPublicIpv6}`,
    );
    expect(await host.connect(netnsPath, world.outsidePublic, 7000)).toBe(`outside ${world.hostPublic}`);
    expect(await host.connect(netnsPath, world.outsidePrivateIpv6, 7000)).toBe('no answer');
    expect(await host.connect(netnsPath, world.metadataIpv6, 7000)).toBe('no answer');
    const gone = await job.createNetwork(withIpv6('gone'));
    const rules = async (): Promise<string> => host.run(host.hostNetns, 'nft', 'list', 'ruleset');
    expect(await rules()).toContain(gone.bridgeName);
    await job.removeNetwork(gone.id);
    await expect.poll(rules).not.toContain(gone.bridgeName);
    expect(await rules()).toContain(six.bridgeName);
  });
});
