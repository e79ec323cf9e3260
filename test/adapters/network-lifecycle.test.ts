import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type {
  JobNetwork,
  NetworkFacts,
  NetworkRequest,
  Sandbox,
  SandboxRequest,
} from '../../src/network/types.ts';
import { createWorld, onBridge, endProcess, newContainerId, world, type World } from './network-support.ts';

const request = (): SandboxRequest => ({
  containerId: newContainerId(),
  mode: onBridge(),
  sysctls: {},
  ports: [],
  nameServers: [],
  containerName: 'web',
});

const plainPool = { subnet: '', gateway: '', ipRange: '', auxAddresses: {} };
const plainNetwork: NetworkRequest = {
  ...plainPool,
  name: 'mine',
  isInternal: false,
  isAttachable: false,
  isConfigOnly: false,
  configFrom: '',
  options: {},
  labels: {},
};

describe("the life of a job's network", () => {
  let host: World;
  let before = '';
  beforeAll(async () => {
    host = await createWorld();
    await host.listen(host.outsideNetns, 7000, 'outside');
  });
  afterAll(async () => {
    await host.end();
  });
  beforeEach(async () => {
    before = await host.snapshot();
  });
  afterEach(async () => {
    expect(await host.snapshot()).toBe(before);
  });

  const addressOf = (sandbox: Sandbox | undefined): string | undefined =>
    sandbox?.endpoints['bridge']?.ipAddress;
  const reaches = async (sandbox: Sandbox): Promise<string> =>
    host.connect(sandbox.netnsPath, world.outsidePublic, 7000);

  test('the next process of a job finds its networks, its containers and their addresses', async () => {
    const slug = host.slug('again');
    const first = await host.open(slug);
    const [kept, vanished] = [request(), request()];
    const [open, gone] = [await first.openSandbox(kept), await first.openSandbox(vanished)];
    await first.closeSandbox(vanished.containerId);

    const second = await host.open(slug);
    expect(second.networks).toEqual(first.networks);
    expect(await second.adoptSandbox(vanished, gone)).toBeUndefined();
    expect(await second.adoptSandbox(kept, open)).toEqual(open);
    expect(await reaches(open)).toBe(`outside ${world.hostPublic}`);
    const fresh = await Promise.all([1, 2, 3].map(() => second.openSandbox(request())));
    expect(new Set([open, ...fresh].map(addressOf)).size).toBe(4);
    expect(await second.close()).toEqual([]);
  });

  test('after the end of its network a job gets a new one under the old ids, and no container is taken over', async () => {
    const slug = host.slug('reboot');
    const first = await host.open(slug);
    const container = request();
    const gone = await first.openSandbox(container);
    expect(await first.close()).toEqual([]);
    expect(await first.close()).toEqual([]);
    await expect(first.openSandbox(request())).rejects.toThrow('closing');

    const second = await host.open(slug);
    expect(second.networks.map(({ id }) => id)).toEqual(first.networks.map(({ id }) => id));
    expect(await second.adoptSandbox(container, gone)).toBeUndefined();
    expect(await second.close()).toEqual([]);
  });

  test('what a half-made network left is replaced', async () => {
    const slug = host.slug('half');
    await host.run(host.hostNetns, 'ip', 'netns', 'add', `berth-${slug}`);
    const network = await host.open(slug);
    expect(await reaches(await network.openSandbox(request()))).toContain('outside');
    expect(await network.close()).toEqual([]);
  });

  test('iproute2 mounts its directory on itself meanwhile, and nothing of the job stays below', async () => {
    const slug = host.slug('hidden');
    const network = await host.open(slug);
    // As where the root of all mounts is private: what is mounted below is out of sight and reach.
    await host.run(host.hostNetns, 'mount', '--rbind', '--make-rprivate', '/run/netns', '/run/netns');
    try {
      expect(await host.run(host.hostNetns, 'ip', 'netns', 'list')).toContain(`berth-${slug}`);
      expect(await network.close()).toEqual([]);
      expect(await readdir('/run/netns')).not.toContain(`berth-${slug}`);
    } finally {
      await host.run(host.hostNetns, 'umount', '--lazy', '/run/netns');
    }
    expect(await readdir('/run/netns')).not.toContain(`berth-${slug}`);
  });

  test('the broom finds an abandoned job by its name, and leaves its neighbour alone', async () => {
    const [abandoned, alive] = [host.slug('abandoned'), host.slug('alive')];
    const dead = await host.open(abandoned, { warmSandboxes: 0 });
    const neighbour = await host.open(alive);
    const container = await neighbour.openSandbox(request());
    await Promise.all([1, 2, 3].map(() => dead.openSandbox(request())));
    await dead.openSandbox({ ...request(), mode: { kind: 'none' } });
    const files = (): Promise<string[]> => readdir(join(host.runDir(abandoned), 'netns'));
    expect(await files()).toHaveLength(5);
    expect(await host.reap(abandoned)).toEqual([]);
    expect(await files()).toEqual([]);
    expect(await host.reap(abandoned)).toEqual([]);
    expect(await reaches(container)).toContain('outside');
    expect(await neighbour.close()).toEqual([]);
  });

  test('a process that is still in a namespace of the job is reported', async () => {
    const network = await host.open(host.slug('lingers'));
    const { netnsPath } = await network.openSandbox(request());
    const child = host.linger(netnsPath);
    try {
      const namespace = `net:[${(await stat(netnsPath)).ino}]`;
      await expect.poll(() => readlink(`/proc/${child.pid ?? 0}/ns/net`)).toBe(namespace);
      expect(await network.close()).toEqual([`process ${child.pid ?? 0} in a network namespace of the job`]);
    } finally {
      await endProcess(child);
    }
    expect(await network.close()).toEqual([]);
  });

  test('jobs that start at once never share an uplink, and a job without a free one is refused', async () => {
    const pool = { uplinkPools: ['10.231.0.0/29'] };
    const slugs = ['p', 'q', 'r', 's', 't'].map((name) => host.slug(name));
    const results = await Promise.allSettled(slugs.map((slug) => host.open(slug, pool)));
    const opened = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const refused = results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(refused).toEqual([expect.stringContaining('no free addresses for the uplink of a job')]);
    for (const network of opened)
      expect(await reaches(await network.openSandbox(request()))).toContain('outside');
    for (const network of opened) expect(await network.close()).toEqual([]);
  });

  describe('in a namespace that is there already', () => {
    const open = (name: string): Promise<JobNetwork> =>
      host.open(host.slug(name), { choice: { kind: 'path', path: host.hostNetns } });

    test('two jobs get bridges and subnets of their own, a way out, and no way to each other', async () => {
      const [a, b] = await Promise.all([open('path-a'), open('path-b')]);
      const [inA, inB] = [await a.openSandbox(request()), await b.openSandbox(request())];
      expect(a.networks[0]?.subnet).not.toBe(b.networks[0]?.subnet);
      await host.listen(inB.netnsPath, 80, 'b');
      expect(await host.connect(b.netnsPath, addressOf(inB) ?? '', 80)).toContain('b ');
      expect(await host.connect(inA.netnsPath, addressOf(inB) ?? '', 80)).toBe('no answer');
      expect(await reaches(inA)).toBe(`outside ${world.hostPublic}`);
      expect(await host.connect(inA.netnsPath, world.metadata, 7000)).toBe('no answer');
      await host.stopListeners();
      expect([await a.close(), await b.close()]).toEqual([[], []]);
    });

    test('a network takes no addresses that others there reach by it, nor those of the world', async () => {
      const job = await open('path-c');
      const create = (parts: Partial<NetworkRequest>): Promise<NetworkFacts> =>
        job.createNetwork({ ...plainNetwork, ...parts });
      for (const subnet of ['10.99.0.0/16', '10.99.0.128/25', '10.0.0.0/8'])
        await expect(create({ subnet })).rejects.toThrow('Pool overlaps with other one');
      await expect(create({ subnet: '8.8.8.0/24' })).rejects.toThrow('only private addresses');
      for (const subnet of ['fd99::/64', 'fd99::/16'])
        await expect(create({ ipv6: { ...plainPool, subnet } })).rejects.toThrow('Pool overlaps');
      const made = await create({ subnet: '10.98.0.0/24', ipv6: { ...plainPool, subnet: 'fd98::/64' } });
      expect(made).toMatchObject({ subnet: '10.98.0.0/24', ipv6: { subnet: 'fd98::/64' } });
      expect(await job.close()).toEqual([]);
    });

    test("an abandoned one in the host's namespace is found by its name too", async () => {
      const slug = host.slug('shared');
      const network = await host.open(slug, { choice: { kind: 'host' } });
      expect(await reaches(await network.openSandbox(request()))).toBe(`outside ${world.hostPublic}`);
      expect(await host.snapshot()).toContain('berth-b0');
      expect(await host.reap(slug)).toEqual([]);
    });
  });
});
