import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { JobNetworkOptions } from '../../src/network/job-network.ts';
import type { JobNetwork, Sandbox, SandboxMode } from '../../src/network/types.ts';
import { createWorld, endProcess, newContainerId, onBridge, world, type World } from './network-support.ts';

// Names where only the host can ask its servers, and servers that say nothing.

/** Answers every question with one address, over UDP; says what it was asked. */
const stubScript = `
const [address] = process.argv.slice(1);
const udp = require('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
udp.on('message', (query, from) => {
  let end = 12;
  const labels = [];
  while (query[end] > 0) { labels.push(query.toString('latin1', end + 1, end + 1 + query[end])); end += query[end] + 1; }
  console.log(labels.join('.'));
  const head = Buffer.from(query.subarray(0, end + 5));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 6);
  head.writeUInt16BE(0, 10);
  udp.send(Buffer.concat([head, Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 7])]), from.port, from.address);
});
udp.bind(53, address, () => console.log('listening'));`;

/** Binds port 53 and never says anything. */
const silentScript = `
const udp = require('node:dgram').createSocket('udp4');
udp.bind(53, process.argv[1], () => console.log('listening'));`;

/** Asks the resolver one question after the other, given as type and name; prints code, number of answers and time of each. */
const askScript = `
const dgram = require('node:dgram');
const ask = (type, name) => new Promise((resolve) => {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const socket = dgram.createSocket('udp4');
  const begun = performance.now();
  socket.on('message', (answer) => {
    socket.close();
    resolve([answer[3] & 15, answer.readUInt16BE(6), Math.round(performance.now() - begun)].join(' '));
  });
  socket.send(Buffer.from([1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, Number(type), 0, 1]), 53, '127.0.0.11');
});
(async () => {
  for (const one of process.argv.slice(1)) console.log(await ask(...one.split('/')));
})();`;

const stub = '127.0.0.53';

describe('names', () => {
  let host: World;
  let before = '';
  let job: JobNetwork | undefined;
  const servers: ChildProcess[] = [];
  let asked: string[] = [];

  beforeAll(async () => {
    host = await createWorld();
    await serve(host.hostNetns, stubScript, stub);
    await serve(host.hostNetns, stubScript, '::1');
    await serve(host.outsideNetns, silentScript, world.outsidePublic);
    await serve(host.outsideNetns, stubScript, world.resolver);
  });
  afterAll(async () => {
    for (const server of servers) await endProcess(server);
    await host.end();
  });
  beforeEach(async () => {
    before = await host.snapshot();
    asked = [];
  });
  afterEach(async () => {
    expect(await job?.close()).toEqual([]);
    expect(await host.snapshot()).toBe(before);
  });

  async function serve(netns: string, script: string, address: string): Promise<void> {
    if (address.startsWith('127.') || address === '::1')
      await host.run(netns, 'ip', 'link', 'set', 'lo', 'up');
    const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', script, '--', address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    servers.push(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('the server of names ended')));
      child.stdout.on('data', (data: Buffer) => {
        if (data.toString().includes('listening')) resolve();
        else asked.push(...data.toString().trim().split('\n'));
      });
    });
  }

  async function open(
    nameServers: readonly string[],
    more: Partial<JobNetworkOptions> = {},
  ): Promise<JobNetwork> {
    const file = join(host.directory, 'stub.conf');
    await writeFile(file, nameServers.map((one) => `nameserver ${one}\n`).join(''));
    const slug = host.slug(`relay${randomBytes(3).toString('hex')}`);
    job = await host.open(slug, { resolvConfFiles: [file], ...more });
    return job;
  }

  const start = (network: JobNetwork, mode: SandboxMode): Promise<Sandbox> =>
    network.openSandbox({
      containerId: newContainerId(),
      containerName: 'web',
      mode,
      sysctls: {},
      ports: [],
      nameServers: [],
    });

  async function startOn(network: JobNetwork, isInternal: boolean): Promise<Sandbox> {
    const pool = { subnet: '', gateway: '', ipRange: '', auxAddresses: {} };
    const kind = { isConfigOnly: false, configFrom: '', isInternal, isAttachable: false };
    await network.createNetwork({ name: 'front', ...pool, ...kind, options: {}, labels: {} });
    const place = { macAddress: '', ipAddress: '', ipv6Address: '', gwPriority: 0, linkLocalAddresses: [] };
    const endpoint = { networkRef: 'front', ...place, dnsNames: ['web'], links: [] };
    return start(network, { kind: 'networks', endpoints: [endpoint] });
  }

  const ask = async (netnsPath: string, ...questions: readonly string[]): Promise<readonly string[]> =>
    (await host.run(netnsPath, process.execPath, '-e', askScript, '--', ...questions)).trim().split('\n');
  const answered = /^0 1 /;
  const failed = /^2 0 /;

  test('of a host that asks a server on its loopback are known in all of the job', async () => {
    const network = await open([stub]);
    const sandboxes = [
      await startOn(network, false),
      await start(network, onBridge()),
      await start(network, { kind: 'job' }),
    ];
    for (const { netnsPath, nameServers } of sandboxes) {
      expect(nameServers).toEqual(['127.0.0.11']);
      expect(await ask(netnsPath, '1/example.org')).toEqual([expect.stringMatching(answered)]);
      expect(await host.connect(netnsPath, stub, 53)).toBe('ECONNREFUSED');
    }
    expect(asked).toEqual(['example.org', 'example.org', 'example.org']);
  });

  test('of a host that asks a server over IPv6 are known in a job without IPv6', async () => {
    const network = await open(['::1']);
    const { netnsPath } = await start(network, onBridge());
    expect(await ask(netnsPath, '1/example.org')).toEqual([expect.stringMatching(answered)]);
  });

  test('are no way out where there is no other, and whole zones are not told', async () => {
    const network = await open([stub]);
    const closed = await startOn(network, true);
    expect(await ask(closed.netnsPath, '1/web', '1/example.org')).toEqual([
      expect.stringMatching(answered),
      expect.stringMatching(failed),
    ]);
    const { netnsPath } = await start(network, onBridge());
    expect(await ask(netnsPath, '252/example.org', '251/example.org')).toEqual([
      expect.stringMatching(failed),
      expect.stringMatching(failed),
    ]);
    expect(asked).toEqual([]);
  });

  test('are not asked for where the job has no egress', async () => {
    const network = await open([stub], { egress: { kind: 'none' } });
    const { netnsPath } = await startOn(network, false);
    expect(await ask(netnsPath, '1/example.org')).toEqual([expect.stringMatching(failed)]);
    expect(asked).toEqual([]);
  });

  test('wait for a server that says nothing once', async () => {
    const network = await open([world.outsidePublic, world.resolver]);
    const { netnsPath } = await startOn(network, false);
    const [first = '', second = ''] = await ask(netnsPath, '1/first.org', '1/second.org');
    for (const one of [first, second]) expect(one).toMatch(answered);
    const msOf = (answer: string): number => Number(answer.split(' ')[2]);
    expect(msOf(first)).toBeGreaterThanOrEqual(2000);
    expect(msOf(second)).toBeLessThan(1000);
    // Another container of the job knows it already.
    const other = await start(network, {
      kind: 'networks',
      endpoints: [
        {
          networkRef: 'front',
          ...{ macAddress: '', ipAddress: '', ipv6Address: '', gwPriority: 0, linkLocalAddresses: [] },
          ...{ dnsNames: ['other'], links: [] },
        },
      ],
    });
    const [third = ''] = await ask(other.netnsPath, '1/third.org');
    expect(msOf(third)).toBeLessThan(1000);
  });
});
