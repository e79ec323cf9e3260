import { randomBytes } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { JobNetwork, PortRequest, Sandbox, SandboxRequest } from '../../src/network/types.ts';
import { createWorld, onBridge, newContainerId, type World } from './network-support.ts';

function port(containerPort: number, hostPort: number, more: Partial<PortRequest> = {}): PortRequest {
  return {
    containerPort,
    protocol: 'tcp',
    hostIp: '',
    firstHostPort: hostPort,
    lastHostPort: hostPort,
    ...more,
  };
}

const echoScript = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (message, from) => socket.send(message + ' from ' + from.address, from.port, from.address));
socket.bind(Number(process.argv[1]), () => console.log('listening'));`;

const askScript = `
const [address, port] = process.argv.slice(1);
const socket = require('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4');
let turn = 1;
socket.on('error', (error) => { console.log(error.code); process.exit(); });
socket.on('message', (message) => {
  if (turn === 3) { console.log(message.toString()); process.exit(); }
  turn += 1;
  socket.send('turn ' + turn);
});
socket.connect(Number(port), address, () => socket.send('turn 1'));
setTimeout(() => { console.log('no answer'); process.exit(); }, 1500);`;

function request(ports: readonly PortRequest[], containerName = 'web'): SandboxRequest {
  return {
    containerId: newContainerId(),
    containerName,
    mode: onBridge(),
    sysctls: {},
    ports,
    nameServers: [],
  };
}

describe('published ports of a job', () => {
  let host: World;
  let before = '';
  let opened: JobNetwork[] = [];
  beforeAll(async () => {
    host = await createWorld();
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
  const openJob = async (): Promise<JobNetwork> => {
    const network = await host.open(host.slug(`job${randomBytes(3).toString('hex')}`));
    opened.push(network);
    return network;
  };
  const listener = async (job: JobNetwork, ports: readonly PortRequest[], name: string): Promise<Sandbox> => {
    const sandbox = await job.openSandbox(request(ports, name));
    await host.listen(sandbox.netnsPath, 80, name);
    return sandbox;
  };
  const addressOf = (sandbox: Sandbox): string => sandbox.endpoints['bridge']?.ipAddress ?? '';

  test('two jobs publish the same port at once, and each reaches its own, on loopback of both families and the gateway', async () => {
    const jobs = await Promise.all([openJob(), openJob()]);
    for (const [index, job] of jobs.entries()) {
      const name = `web${index}`;
      const sandbox = await listener(job, [port(80, 8080)], name);
      expect(sandbox.ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`)).toEqual([
        '0.0.0.0 8080',
        ':: 8080',
      ]);
    }
    for (const [index, job] of jobs.entries())
      for (const address of ['127.0.0.1', '::1', job.networks[0]?.gateway ?? ''])
        expect(await host.connect(job.netnsPath, address, 8080), address).toBe(
          `web${index} ${job.networks[0]?.gateway ?? ''}`,
        );
  });

  test('siblings and the container itself come by the gateway; a sibling elsewhere keeps its address', async () => {
    const job = await openJob();
    const web = await listener(job, [port(80, 8080)], 'web');
    const sibling = await job.openSandbox(request([]));
    const gateway = job.networks[0]?.gateway ?? '';
    expect(await host.connect(sibling.netnsPath, gateway, 8080)).toContain('web ');
    expect(await host.connect(web.netnsPath, gateway, 8080)).toContain('web ');
    expect(await host.connect(sibling.netnsPath, addressOf(web), 80)).toBe(`web ${addressOf(sibling)}`);
  });

  test('ports of UDP are reached like those of TCP, turn after turn, until they are given back', async () => {
    const job = await openJob();
    const udp = request([port(53, 5353, { protocol: 'udp' })], 'dns');
    const { netnsPath, ports } = await job.openSandbox(udp);
    expect(ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`)).toEqual(['0.0.0.0 5353', ':: 5353']);
    const sibling = await job.openSandbox(request([]));
    const gateway = job.networks[0]?.gateway ?? '';
    const ask = async (netns: string, address: string): Promise<string> =>
      (await host.run(netns, process.execPath, '-e', askScript, '--', address, '5353')).trim();
    await host.serve(netnsPath, echoScript, '53');
    for (const address of ['127.0.0.1', '::1', gateway])
      expect(await ask(job.netnsPath, address), address).toBe(`turn 3 from ${gateway}`);
    expect(await ask(sibling.netnsPath, gateway)).toMatch(/^turn 3 from 172\.17\.0\./);
    expect(await ask(netnsPath, gateway)).toMatch(/^turn 3 from /);
    await job.closeSandbox(udp.containerId);
    expect(await ask(job.netnsPath, '::1')).toBe('ECONNREFUSED');
  });

  test("a port published on loopback is not the bridge's, and containers do not reach the job's loopback", async () => {
    const job = await openJob();
    await listener(job, [port(80, 8080, { hostIp: '127.0.0.1' })], 'web');
    const { netnsPath } = await job.openSandbox(request([]));
    const gateway = job.networks[0]?.gateway ?? '';
    expect(await host.connect(job.netnsPath, '127.0.0.1', 8080)).toContain('web ');
    expect(await host.connect(job.netnsPath, gateway, 8080)).toBe('ECONNREFUSED');
    await host.listen(job.netnsPath, 7003, 'loopback');
    await host.run(netnsPath, 'ip', 'route', 'del', 'table', 'local', '127.0.0.1');
    await host.run(netnsPath, 'ip', 'route', 'del', 'table', 'local', '127.0.0.0/8');
    await host.run(netnsPath, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet');
    await host.run(netnsPath, 'ip', 'route', 'add', '127.0.0.1', 'via', gateway);
    expect(await host.connect(netnsPath, '127.0.0.1', 7003)).toBe('no answer');
    expect(await host.connect(netnsPath, '127.0.0.1', 8080)).toBe('no answer');
  });

  test.each([
    ['of another container', '', 'already allocated (by container first)'],
    ['of another container, on one address', '127.0.0.1', 'already allocated (by container first)'],
    ['on an address that is not the job’s', '9.9.9.9', 'cannot assign requested address'],
  ])('a port %s is refused', async (_, hostIp, message) => {
    const job = await openJob();
    const first = request([port(80, 8080)], 'first');
    await job.openSandbox(first);
    const second = request(
      [port(81, 8081), port(80, hostIp === '9.9.9.9' ? 8082 : 8080, { hostIp })],
      'second',
    );
    await expect(job.openSandbox(second)).rejects.toThrow(
      new RegExp(
        `^driver failed programming external connectivity on endpoint second \\([0-9a-f]{64}\\): .*${message.replace(/[()]/g, '\\$&')}`,
      ),
    );
    await job.closeSandbox(second.containerId);
    await job.closeSandbox(first.containerId);
    expect((await job.openSandbox(request([port(80, 8080), port(81, 8081)]))).ports).toHaveLength(4);
  });

  test('a port that a process of the job listens on is refused, and none is taken from a process later', async () => {
    const job = await openJob();
    await host.listen(job.netnsPath, 8080, 'process');
    const refused = request([port(80, 8080)]);
    await expect(job.openSandbox(refused)).rejects.toThrow('address already in use');
    await job.closeSandbox(refused.containerId);
    await job.openSandbox(request([port(80, 8081)]));
    await expect(host.listen(job.netnsPath, 8081, 'late')).rejects.toThrow('ended');
  });

  test('ports of nobody’s choice are ephemeral and differ; a range gives the first free one', async () => {
    const job = await openJob();
    const { ports } = await job.openSandbox(
      request([port(80, 0), port(81, 0), port(53, 0, { protocol: 'udp' })]),
    );
    const chosen = ports.filter(({ hostIp }) => hostIp === '0.0.0.0').map(({ hostPort }) => hostPort);
    expect(new Set(chosen).size).toBe(3);
    expect(chosen.every((one) => one >= 32_768 && one < 61_000)).toBe(true);
    const range = port(80, 9000, { lastHostPort: 9001 });
    const [a, b] = [await job.openSandbox(request([range])), await job.openSandbox(request([range]))];
    expect([a.ports[0]?.hostPort, b.ports[0]?.hostPort]).toEqual([9000, 9001]);
    await expect(job.openSandbox(request([range]))).rejects.toThrow('port is already allocated');
  });
});
