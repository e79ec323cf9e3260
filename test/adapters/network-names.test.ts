import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { EndpointRequest, JobNetwork, NetworkFacts, Sandbox } from '../../src/network/types.ts';
import { createWorld, endProcess, newContainerId, world, type World } from './network-support.ts';

// Names on users' networks: the resolvers of real namespaces, with a server of names that the test itself runs outside.

/** Answers A questions with an address made from the name; some names have answers of their own. */
const upstreamScript = `
const dgram = require('node:dgram');
const net = require('node:net');
const [address] = process.argv.slice(1);
const answer = (query, isTcp) => {
  let end = 12;
  const labels = [];
  while (query[end] > 0) { labels.push(query.toString('latin1', end + 1, end + 1 + query[end])); end += query[end] + 1; }
  end += 5;
  const name = labels.join('.');
  console.log((isTcp ? 'tcp ' : 'udp ') + name);
  const head = Buffer.from(query.subarray(0, end));
  const count = name.startsWith('big') && isTcp ? 100 : 1;
  const isCut = name.startsWith('big') && !isTcp;
  const code = name.startsWith('sick') && address === '${world.resolver}' ? 2 : 0;
  head.writeUInt16BE(0x8180 | (isCut ? 0x0200 : 0) | code, 2);
  head.writeUInt16BE(isCut || code ? 0 : count, 6);
  head.writeUInt16BE(0, 10);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 7]);
  return Buffer.concat([head, ...(isCut || code ? [] : Array(count).fill(record))]);
};
const udp = dgram.createSocket('udp4').on('message', (query, from) => udp.send(answer(query, false), from.port, from.address));
udp.bind(53, address);
net.createServer((client) => client.once('data', (data) => {
  const response = answer(data.subarray(2), true);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(response.length);
  client.end(Buffer.concat([length, response]));
})).listen(53, address, () => console.log('listening'));`;

/** Asks the container's resolver raw questions, given in hex; prints each answer in hex, or 'none' after a while. */
const askScript = `
const dgram = require('node:dgram');
const ask = (hex) => new Promise((resolve) => {
  const socket = dgram.createSocket('udp4');
  const finish = (text) => { socket.close(); clearTimeout(timer); resolve(text); };
  const timer = setTimeout(() => finish('none'), 300);
  socket.on('message', (message) => finish(message.toString('hex')));
  socket.on('error', () => finish('none'));
  socket.send(Buffer.from(hex, 'hex'), 53, '127.0.0.11');
});
(async () => { for (const hex of process.argv.slice(1)) console.log(await ask(hex)); })();`;

/** Looks names up as a program does, and connects to each; prints what it found. */
const greetScript = `
const dns = require('node:dns');
const net = require('node:net');
const resolver = new dns.promises.Resolver({ timeout: 2000, tries: 2 });
resolver.setServers(['127.0.0.11']);
const greet = (address) => new Promise((resolve) => {
  const socket = net.connect({ host: address, port: 80, timeout: 2000 });
  socket.on('connect', () => { socket.destroy(); resolve('open'); });
  socket.on('timeout', () => { socket.destroy(); resolve('silent'); });
  socket.on('error', (error) => resolve(error.code));
});
(async () => {
  const found = await Promise.all(process.argv.slice(1).map(async (name) => {
    const addresses = await resolver.resolve4(name).catch((error) => [error.code]);
    return name + ' ' + addresses.length + ' ' + (addresses[0].includes('.') ? await greet(addresses[0]) : addresses[0]);
  }));
  console.log(found.join('\\n'));
})();`;

/** Asks for a name again and again, one question after the other; prints the median of the milliseconds that takes. */
const paceScript = `
const socket = require('node:dgram').createSocket('udp4');
const [hex, rounds] = process.argv.slice(1);
const taken = [];
let begun = 0;
const ask = () => { begun = performance.now(); socket.send(Buffer.from(hex, 'hex'), 53, '127.0.0.11'); };
socket.on('message', () => {
  taken.push(performance.now() - begun);
  if (taken.length < Number(rounds)) return ask();
  console.log(taken.sort((a, b) => a - b)[taken.length >> 1].toFixed(3));
  process.exit();
});
ask();`;

/** The record of a question that takes so many bytes in one datagram (RFC 6891). */
function extended(message: Buffer, bytes: number): Buffer {
  const whole = Buffer.concat([message, Buffer.from([0, 0, 41, bytes >> 8, bytes & 255, 0, 0, 0, 0, 0, 0])]);
  whole.writeUInt16BE(1, 10);
  return whole;
}

function question(name: string, type = 1): Buffer {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

describe('names', () => {
  let host: World;
  let before = '';
  let job: JobNetwork;
  let network: NetworkFacts;
  const upstreams: ChildProcess[] = [];
  let asked = '';

  beforeAll(async () => {
    host = await createWorld();
    for (const address of [world.resolver, world.outsidePublic]) await startUpstream(address);
  });
  afterAll(async () => {
    for (const upstream of upstreams) await endProcess(upstream);
    await host.end();
  });
  beforeEach(async () => {
    before = await host.snapshot();
    asked = '';
    job = await host.open(host.slug(`names${randomBytes(3).toString('hex')}`));
    network = await createNetwork('front');
  });
  afterEach(async () => {
    await host.stopListeners();
    expect(await job.close()).toEqual([]);
    expect(await host.snapshot()).toBe(before);
  });

  async function startUpstream(address: string): Promise<void> {
    const args = [`--net=${host.outsideNetns}`, process.execPath, '-e', upstreamScript, '--', address];
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    upstreams.push(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error('the server of names ended')));
      child.stdout.on('data', (chunk: Buffer) => {
        asked += chunk.toString();
        if (asked.includes('listening')) resolve();
      });
    });
    asked = '';
  }

  const createNetwork = (name: string, isInternal = false): Promise<NetworkFacts> =>
    job.createNetwork({
      name,
      isConfigOnly: false,
      configFrom: '',
      subnet: '',
      gateway: '',
      ipRange: '',
      auxAddresses: {},
      isInternal,
      isAttachable: false,
      options: {},
      labels: {},
    });
  const wish = (networkRef: string, ...dnsNames: readonly string[]): EndpointRequest => ({
    networkRef,
    macAddress: '',
    ipAddress: '',
    ipv6Address: '',
    gwPriority: 0,
    dnsNames,
    links: [],
    linkLocalAddresses: [],
  });
  const start = (wishes: readonly EndpointRequest[], nameServers: readonly string[] = []): Promise<Sandbox> =>
    job.openSandbox({
      containerId: newContainerId(),
      containerName: 'web',
      mode: { kind: 'networks', endpoints: wishes },
      sysctls: {},
      ports: [],
      nameServers,
    });
  const run = (sandbox: Sandbox, script: string, ...args: readonly string[]): Promise<string> =>
    host.run(sandbox.netnsPath, process.execPath, '-e', script, '--', ...args);
  const ask = async (sandbox: Sandbox, ...questions: readonly Buffer[]): Promise<readonly string[]> =>
    (await run(sandbox, askScript, ...questions.map((one) => one.toString('hex')))).trim().split('\n');

  test('of fifty containers are known to each, and lead to each', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `c${index}`);
    const sandboxes = await Promise.all(names.map((name) => start([wish('front', name, 'all')])));
    // Refused by the container's own kernel: that is who was reached.
    const expected = names.map((name) => `${name} 1 ECONNREFUSED`);
    for (const sandbox of [sandboxes[0], sandboxes[25], sandboxes[49]]) {
      const found = sandbox ? await run(sandbox, greetScript, ...names) : '';
      expect(found.trim().split('\n')).toEqual(expected);
    }
    // More than a datagram of old holds: cut, and whole over TCP.
    const [first] = sandboxes;
    expect(first ? (await run(first, greetScript, 'all')).trim() : '').toBe('all 50 ECONNREFUSED');
  });

  test('that are known have no other records, and are never asked for elsewhere', async () => {
    const sandbox = await start([wish('front', 'web')]);
    const [aaaa, mx, txt] = [28, 15, 16];
    for (const answer of await ask(sandbox, ...[aaaa, mx, txt].map((type) => question('Web.front', type)))) {
      expect(answer.slice(4, 8)).toBe('8180');
      expect(answer.slice(12, 16)).toBe('0000');
    }
    expect(asked).toBe('');
  });

  test('are answered within what the client takes in one datagram, and with extensions where it has them', async () => {
    const sandboxes = await Promise.all(
      Array.from({ length: 40 }, (_, index) => start([wish('front', `d${index}`, 'all')])),
    );
    const [first] = sandboxes;
    if (!first) throw new Error('not started');
    const [plain = '', small = '', large = '', huge = ''] = await ask(
      first,
      question('all'),
      ...[100, 1000, 4096].map((bytes) => extended(question('all'), bytes)),
    );
    const told = (answer: string): readonly [bytes: number, isCut: boolean, extensions: string] => [
      answer.length / 2,
      (Number.parseInt(answer.slice(4, 8), 16) & 0x200) !== 0,
      answer.slice(20, 24),
    ];
    expect(told(plain)).toEqual([12 + 9 + 16 * 30, true, '0000']);
    expect(told(small)).toEqual([12 + 9 + 16 * 30 + 11, true, '0001']);
    expect(told(large)).toEqual([12 + 9 + 16 * 40 + 11, false, '0001']);
    expect(told(huge)).toEqual(told(large));
  });

  test('that are known are answered at once', async () => {
    const sandbox = await start([wish('front', 'web')]);
    const median = Number(await run(sandbox, paceScript, question('web').toString('hex'), '300'));
    process.stdout.write(`an own name in ${median} ms (median of 300)\n`);
    // A millisecond on a quiet machine.
    expect(median).toBeLessThan(10);
  });

  test('that are not known go to the servers of the host, as they were written and with nothing added', async () => {
    const sandbox = await start([wish('front', 'web')]);
    const [mixed = '', own = ''] = await ask(sandbox, question('eXaMPle.ORG'), question('WEB'));
    expect(mixed).toContain(Buffer.from('eXaMPle').toString('hex'));
    expect(mixed).toMatch(/c0000207$/);
    expect(own).toContain(Buffer.from('WEB').toString('hex'));
    expect(asked).toBe('udp eXaMPle.ORG\n');
  });

  test('whose answer is cut are asked for again over TCP', async () => {
    const sandbox = await start([wish('front', 'web')]);
    const found = await run(sandbox, greetScript, 'big.example.org');
    expect(found).toMatch(/^big.example.org 100 /);
    expect(asked.split('\n')).toEqual(['udp big.example.org', 'tcp big.example.org', '']);
  });

  test('that one server cannot answer are asked of the next; chosen servers come instead of the host’s', async () => {
    const both = await start([wish('front', 'a')], [world.resolver, world.outsidePublic]);
    const [answered = ''] = await ask(both, question('sick.example.org'));
    expect(answered).toMatch(/c0000207$/);
    const one = await start([wish('front', 'b')], [world.resolver]);
    const [refused = ''] = await ask(one, question('sick.example.org'));
    expect(refused.slice(4, 8)).toBe('8182');
  });

  test('asked for in messages that are none are not answered, and the resolver lives on', async () => {
    const sandbox = await start([wish('front', 'web')]);
    const whole = question('web');
    const pointer = Buffer.concat([whole.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
    const noise = [Buffer.alloc(1), whole.subarray(0, 11), whole.subarray(0, 15), pointer, randomBytes(400)];
    const response = Buffer.from(whole);
    response.writeUInt16BE(0x8180, 2);
    const two = Buffer.from(whole);
    two.writeUInt16BE(2, 4);
    const answers = await ask(sandbox, ...noise, response, two, whole);
    expect(answers.slice(0, -1)).toEqual(Array.from({ length: 7 }, () => 'none'));
    expect(answers.at(-1)).toMatch(/ac1[0-9a-f]{5}$/);
    expect(asked).toBe('');
  });

  test('and addresses of one network are nothing to another, also for the next process of the job', async () => {
    await createNetwork('back');
    await createNetwork('closed', true);
    const [front, back, closed] = await Promise.all(
      ['front', 'back', 'closed'].map((name) => start([wish(name, `in-${name}`)])),
    );
    if (!front || !back || !closed) throw new Error('not started');
    for (const { netnsPath } of [front, back, closed]) await host.listen(netnsPath, 80, 'x');
    const address = (sandbox: Sandbox): string => Object.values(sandbox.endpoints)[0]?.ipAddress ?? '';
    const check = async (): Promise<void> => {
      expect(await host.connect(front.netnsPath, address(back), 80)).toBe('no answer');
      expect(await host.connect(back.netnsPath, address(closed), 80)).toBe('no answer');
      expect(await host.connect(closed.netnsPath, address(back), 80)).toBe('ENETUNREACH');
      expect(await host.connect(job.netnsPath, address(back), 80)).toContain('x ');
    };
    await check();
    const [known = '', unknown = ''] = await ask(front, question('in-front'), question('in-back'));
    expect(known.slice(4, 8)).toBe('8180');
    expect(unknown).toMatch(/c0000207$/);
    expect(network.name).toBe('front');
    const slug = job.netnsPath.replace(/^.*\/berth-/, '');
    job = await host.open(slug);
    await check();
  });
});
