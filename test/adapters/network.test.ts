import { randomBytes } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { JobNetwork, Sandbox, SandboxMode } from '../../src/network/types.ts';
import { createWorld, onBridge, newContainerId, world, type World } from './network-support.ts';

const bridge: SandboxMode = onBridge();

describe('the network of a job', () => {
  let host: World;
  let before = '';
  let opened: JobNetwork[] = [];
  beforeAll(async () => {
    host = await createWorld();
    await host.listen(host.outsideNetns, 7000, 'outside');
    await host.listen(host.outsideNetns, 53, 'resolver');
    await host.listen(host.hostNetns, 7001, 'host');
  });
  afterAll(async () => {
    await host.end();
  });
  beforeEach(async () => {
    before = await host.snapshot();
    opened = [];
  });
  // Every test is one of teardown too.
  afterEach(async () => {
    await host.stopListeners();
    for (const network of opened) expect(await network.close()).toEqual([]);
    expect(await host.snapshot()).toBe(before);
  });

  const open: World['open'] = async (slug, options) => {
    const network = await host.open(slug, options);
    opened.push(network);
    return network;
  };
  const openJob = (options?: Parameters<World['open']>[1]): Promise<JobNetwork> =>
    open(host.slug(`job${randomBytes(3).toString('hex')}`), options);
  const start = (network: JobNetwork, mode: SandboxMode = bridge): Promise<Sandbox> =>
    network.openSandbox({
      containerId: newContainerId(),
      mode,
      sysctls: {},
      ports: [],
      nameServers: [],
      containerName: 'web',
    });
  const addressOf = (sandbox: Sandbox): string => sandbox.endpoints['bridge']?.ipAddress ?? '';
  const uplinkOf = async (network: JobNetwork): Promise<string> =>
    /inet ([\d.]+)/.exec(await host.run(network.netnsPath, 'ip', '-4', 'addr', 'show', 'uplink'))?.[1] ?? '';

  test('two jobs use the same subnet at once, and the containers of each reach each other', async () => {
    const jobs = await Promise.all([openJob(), openJob()]);
    for (const [index, job] of jobs.entries()) {
      const [first, second] = [await start(job), await start(job)];
      expect([addressOf(first), job.networks[0]?.gateway]).toEqual(['172.17.0.2', '172.17.0.1']);
      await host.listen(second.netnsPath, 80, `web${index}`);
      const answer = await host.connect(first.netnsPath, addressOf(second), 80);
      expect(answer).toBe(`web${index} 172.17.0.2`);
      expect(await host.connect(job.netnsPath, addressOf(second), 80)).toBe(`web${index} 172.17.0.1`);
    }
  });

  test('a container leaves by the host, under its address, though the host drops what it forwards', async () => {
    const job = await openJob();
    const { netnsPath } = await start(job);
    for (const from of [netnsPath, job.netnsPath])
      expect(await host.connect(from, world.outsidePublic, 7000)).toBe(`outside ${world.hostPublic}`);
  });

  test("the host's addresses answer others and no container of a job", async () => {
    const job = await openJob();
    const { netnsPath } = await start(job);
    expect(await host.connect(host.outsideNetns, world.hostPublic, 7001)).toContain('host ');
    const nextHop =
      /via ([\d.]+)/.exec(await host.run(job.netnsPath, 'ip', 'route', 'show', 'default'))?.[1] ?? '';
    for (const from of [netnsPath, job.netnsPath])
      for (const address of [world.hostPublic, world.hostPrivate, nextHop])
        expect(await host.connect(from, address, 7001), address).toBe('no answer');
    expect(await host.connect(netnsPath, '127.0.0.1', 7001)).toBe('ECONNREFUSED');
  });

  test('neither another job nor the outside reaches a job', async () => {
    const [a, b] = [await openJob({ egress: { kind: 'all' } }), await openJob({ egress: { kind: 'all' } })];
    await host.listen(b.netnsPath, 7002, 'b');
    const address = await uplinkOf(b);
    expect(await host.connect(host.hostNetns, address, 7002)).toContain('b ');
    expect(await host.connect((await start(a)).netnsPath, address, 7002)).toBe('no answer');
    expect(await host.connect(a.netnsPath, address, 7002)).toBe('no answer');
    expect(await host.connect(host.outsideNetns, address, 7002)).toBe('no answer');
  });

  test('a job cannot leave under an address that is not its own', async () => {
    const count = (): Promise<string> => host.run(host.outsideNetns, 'nft', 'list', 'table', 'ip', 'spoofed');
    const rules = ['172.17.0.0/16', world.hostPublic]
      .map((source) => `ip saddr ${source} counter;`)
      .join(' ');
    const chain = `chain input { type filter hook input priority 0; ${rules} }`;
    await host.run(host.outsideNetns, 'nft', `table ip spoofed {\n${chain}\n}`);
    const job = await openJob();
    await host.run(job.netnsPath, 'nft', 'flush', 'ruleset');
    const { netnsPath } = await start(job);
    expect(await host.connect(netnsPath, world.outsidePublic, 7000)).toBe('no answer');
    expect(await host.connect(job.netnsPath, world.outsidePublic, 7000)).toContain('outside');
    expect(await count()).toMatch(
      /saddr 172.17.0.0\/16 counter packets 0 .*\s+.*203.0.113.1 counter packets [1-9]/,
    );
  });

  test("a container or a job that poses as another job's neighbour takes nothing of it", async () => {
    const [a, b] = [await openJob(), await openJob()];
    const [poser, victim] = [await start(a), await start(b)];
    const link = await host.run(b.netnsPath, 'ip', '-o', 'link', 'show', 'docker0');
    const bridgeOfB = /ether ([\da-f:]+)/.exec(link)?.[1] ?? '';
    // The poser has the gateway of the other job's containers, by both of its addresses, and says so to its own bridge.
    await host.run(poser.netnsPath, 'ip', 'link', 'set', 'eth0', 'address', bridgeOfB);
    await host.run(poser.netnsPath, 'ip', 'addr', 'add', '172.17.0.1/32', 'dev', 'eth0');
    await host.run(poser.netnsPath, 'busybox', 'arping', '-U', '-c', '2', '-I', 'eth0', '172.17.0.1');
    // And its job has the other's uplink, and says so to the host.
    const uplinkOfB = await uplinkOf(b);
    await host.run(a.netnsPath, 'ip', 'addr', 'add', `${uplinkOfB}/32`, 'dev', 'uplink');
    await host.run(a.netnsPath, 'busybox', 'arping', '-U', '-c', '2', '-I', 'uplink', uplinkOfB);
    for (const from of [victim.netnsPath, b.netnsPath])
      expect(await host.connect(from, world.outsidePublic, 7000)).toBe(`outside ${world.hostPublic}`);
    await host.run(a.netnsPath, 'ip', 'route', 'change', 'default', 'dev', 'uplink', 'src', uplinkOfB);
    expect(await host.connect(a.netnsPath, world.outsidePublic, 7000)).toBe('no answer');
    await host.listen(b.netnsPath, 7004, 'b');
    expect(await host.connect(host.hostNetns, uplinkOfB, 7004)).toContain('b ');
  });

  const reachable = { public: 'outside', private: 'outside', dns: 'resolver' } as const;
  for (const [egress, expected] of [
    [{ kind: 'internet', allow: [] }, ['public', 'dns']],
    [{ kind: 'internet', allow: ['10.99.0.0/24', '10.99.0.2'] }, ['public', 'private', 'dns']],
    [{ kind: 'all' }, ['public', 'private', 'dns']],
    [{ kind: 'none' }, []],
  ] as const) {
    test(`egress ${JSON.stringify(egress)} opens ${expected.join(', ') || 'nothing'}, and never the metadata address`, async () => {
      const { netnsPath } = await start(await openJob({ egress }));
      const answers = {
        public: await host.connect(netnsPath, world.outsidePublic, 7000),
        private: await host.connect(netnsPath, world.outsidePrivate, 7000),
        dns: await host.connect(netnsPath, world.resolver, 53),
      };
      const wanted = (name: keyof typeof reachable): string =>
        (expected as readonly string[]).includes(name) ? `${reachable[name]} ${sourceOf[name]}` : 'no answer';
      const sourceOf = { public: world.hostPublic, private: world.hostPrivate, dns: world.hostPrivate };
      expect(answers).toEqual({ public: wanted('public'), private: wanted('private'), dns: wanted('dns') });
      expect(await host.connect(host.hostNetns, world.metadata, 7000)).toContain('outside');
      expect(await host.connect(netnsPath, world.metadata, 7000)).toBe('no answer');
    });
  }

  test('a container without a network has loopback alone; one of the host network is in the job', async () => {
    const job = await openJob();
    const none = await start(job, { kind: 'none' });
    expect((await host.run(none.netnsPath, 'ip', '-o', 'link')).trim().split('\n')).toHaveLength(1);
    expect(await host.run(none.netnsPath, 'ip', '-br', 'addr')).toMatch(/^lo +UNKNOWN +127.0.0.1\/8/);
    expect(none.endpoints['none']).toMatchObject({ ipAddress: '', networkId: job.networks[2]?.id });
    expect((await start(job, { kind: 'job' })).netnsPath).toBe(job.netnsPath);
  });

  test("a container's interface has Docker's name, address and hardware address, or the one asked for", async () => {
    const job = await openJob();
    const own = await host.run((await start(job)).netnsPath, 'ip', 'addr', 'show', 'eth0');
    expect(own).toContain('link/ether 02:42:ac:11:00:02');
    expect(own).toContain('inet 172.17.0.2/16 brd 172.17.255.255');
    expect(own).not.toContain('inet6');
    const asked = await start(job, onBridge('92-D0-C6-0A-29-33'));
    expect(await host.run(asked.netnsPath, 'ip', 'link')).toContain('link/ether 92:d0:c6:0a:29:33');
    await expect(start(job, onBridge('x up'))).rejects.toThrow('invalid MAC address');
    const request = {
      containerId: '../../etc',
      mode: bridge,
      sysctls: {},
      ports: [],
      nameServers: [],
      containerName: 'web',
    };
    await expect(job.openSandbox(request)).rejects.toThrow('invalid container id');
  });

  test('twenty containers at once get twenty addresses, and a closed one gives its own back', async () => {
    const job = await openJob();
    const ids = Array.from({ length: 20 }, newContainerId);
    const sandboxes = await Promise.all(
      ids.map((containerId) =>
        job.openSandbox({
          containerId,
          mode: bridge,
          sysctls: {},
          ports: [],
          nameServers: [],
          containerName: 'web',
        }),
      ),
    );
    const addresses = sandboxes.map(addressOf);
    expect(new Set(addresses).size).toBe(20);
    for (const containerId of [...ids, ...ids]) await job.closeSandbox(containerId);
    const again = await Promise.all(ids.map(() => start(job)));
    expect(new Set(again.map(addressOf)).size).toBe(20);
    // All but the two that places made ahead of need may hold.
    expect(
      again.map(addressOf).filter((address) => addresses.includes(address)).length,
    ).toBeGreaterThanOrEqual(18);
  });
});
