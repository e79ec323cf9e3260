import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createContainer, IMAGE, removeContainer } from '../containers.ts';
import type { Daemon } from '../daemons.ts';
import type { EngineClient } from '../engine-client.ts';
import { timeMs, type InterleavedRow, type Session } from '../row.ts';

const PORT = 80;
const SENT_BYTES = 1 << 30;
const LOOKUPS = 301;
const NETWORK = 'bench-net';
const ALIAS = 'receiver';
const IDLE = ['sleep', '1000'];

/** Takes what is sent to it and throws it away. busybox's nc moves a kilobyte at a time, and that would be measured. */
const RECEIVE_SCRIPT = `
require('node:net').createServer({ highWaterMark: 1 << 20 }, (socket) => socket.resume())
  .listen(Number(process.argv[1]), '0.0.0.0', () => console.log('listening'));`;

/** Sends to an address and port; prints the MB/s until the other side has closed. */
const SEND_SCRIPT = `
const [host, port, bytes] = process.argv.slice(1);
const chunk = Buffer.alloc(1 << 20);
const socket = require('node:net').connect(Number(port), host);
let left = Number(bytes);
let begun = 0;
const send = () => {
  while (left > 0) {
    left -= chunk.length;
    if (!socket.write(chunk)) return socket.once('drain', send);
  }
  socket.end();
};
socket.resume();
socket.once('connect', () => { begun = performance.now(); send(); });
socket.once('close', (isBroken) => {
  if (isBroken || left > 0) process.exit(1);
  console.log(Number(bytes) / 1e3 / (performance.now() - begun));
});`;

/** Looks a name up again and again, one question after the other; prints the median of the milliseconds that takes. */
const LOOK_UP_SCRIPT = `
const socket = require('node:dgram').createSocket('udp4');
const [name, rounds] = process.argv.slice(1);
const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
const question = Buffer.from([1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
const taken = [];
let begun = 0;
const ask = () => { begun = performance.now(); socket.send(question, 53, '127.0.0.11'); };
socket.on('message', (answer) => {
  taken.push(performance.now() - begun);
  if (answer.readUInt16BE(6) !== 1) process.exit(1);
  if (taken.length < Number(rounds)) return ask();
  console.log(taken.sort((a, b) => a - b)[taken.length >> 1]);
  process.exit();
});
ask();`;

function runIn(netns: string, script: string, args: readonly string[]) {
  return spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', script, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Runs a script of Node in a network namespace; answers the number that it prints. */
async function measureIn(netns: string, script: string, ...args: readonly string[]): Promise<number> {
  const value = Number((await text(runIn(netns, script, args).stdout)).trim() || Number.NaN);
  if (Number.isFinite(value)) return value;
  throw new Error(`a script in ${netns} has measured nothing`);
}

/** Starts what receives in a network namespace; answers its end. */
async function receiveIn(netns: string): Promise<() => Promise<void>> {
  const child = runIn(netns, RECEIVE_SCRIPT, [String(PORT)]);
  await once(child.stdout, 'data');
  return async () => {
    child.kill();
    await once(child, 'exit');
  };
}

async function createNetwork(client: EngineClient): Promise<string> {
  return (await client.expect<{ Id: string }>('POST', '/networks/create', { Name: NETWORK })).Id;
}

/** A container that runs. */
interface Placed {
  readonly id: string;
  /** Path of its network namespace. */
  readonly netns: string;
  readonly address: string;
  /** Where its port is published; empty where it is not. */
  readonly hostPort: string;
}

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

async function place(client: EngineClient, id: string): Promise<Placed> {
  await client.expect('POST', `/containers/${id}/start`);
  const { State: state, NetworkSettings: settings } = await client.expect<Inspected>(
    'GET',
    `/containers/${id}/json`,
  );
  return {
    id,
    netns: `/proc/${String(state.Pid)}/ns/net`,
    address: Object.values(settings.Networks)[0]?.IPAddress ?? '',
    hostPort: settings.Ports[`${String(PORT)}/tcp`]?.[0]?.HostPort ?? '',
  };
}

/** A container on a network of the row's own, known there by its alias. */
async function placeReceiver(client: EngineClient): Promise<Placed> {
  await createNetwork(client);
  const { Id: id } = await client.expect<{ Id: string }>('POST', '/containers/create', {
    Image: IMAGE,
    Cmd: IDLE,
    HostConfig: { NetworkMode: NETWORK },
    NetworkingConfig: { EndpointsConfig: { [NETWORK]: { Aliases: [ALIAS] } } },
  });
  return place(client, id);
}

async function betweenContainers({ client }: Daemon): Promise<Session> {
  const receiver = await placeReceiver(client);
  const sender = await place(client, await createContainer(client, IDLE, { network: NETWORK }));
  const endReceiving = await receiveIn(receiver.netns);
  const args = [receiver.address, String(PORT), String(SENT_BYTES)];
  return {
    round: async () => [await measureIn(sender.netns, SEND_SCRIPT, ...args)],
    async end() {
      await endReceiving();
      for (const { id } of [sender, receiver]) await removeContainer(client, id);
      await client.expect('DELETE', `/networks/${NETWORK}`);
    },
  };
}

async function toPublished({ client, netns }: Daemon): Promise<Session> {
  const shape = { network: 'bridge', publishes: true };
  const receiver = await place(client, await createContainer(client, IDLE, shape));
  const endReceiving = await receiveIn(receiver.netns);
  const args = ['127.0.0.1', receiver.hostPort, String(SENT_BYTES)];
  return {
    round: async () => [await measureIn(netns, SEND_SCRIPT, ...args)],
    async end() {
      await endReceiving();
      await removeContainer(client, receiver.id);
    },
  };
}

async function lookingUp({ client }: Daemon): Promise<Session> {
  const receiver = await placeReceiver(client);
  return {
    round: async () => [await measureIn(receiver.netns, LOOK_UP_SCRIPT, ALIAS, String(LOOKUPS))],
    async end() {
      await removeContainer(client, receiver.id);
      await client.expect('DELETE', `/networks/${NETWORK}`);
    },
  };
}

async function createAndDelete(client: EngineClient): Promise<readonly [number, number]> {
  let id = '';
  const createMs = await timeMs(async () => (id = await createNetwork(client)));
  return [createMs, await timeMs(() => client.expect('DELETE', `/networks/${id}`))];
}

/** What goes over networks, and networks themselves. */
export const NETWORK_ROWS: readonly InterleavedRow[] = [
  {
    figures: [{ name: 'network: container to container', unit: 'MB/s', goal: { atLeast: 1 } }],
    rounds: 7,
    begin: betweenContainers,
  },
  {
    figures: [{ name: 'network: job to published port', unit: 'MB/s', goal: { atLeast: 1 } }],
    rounds: 7,
    begin: toPublished,
  },
  {
    figures: [{ name: 'network: look-up of an alias, p50', unit: 'ms', goal: { atMost: 1 } }],
    rounds: 7,
    begin: lookingUp,
  },
  {
    figures: [
      { name: 'network: create', unit: 'ms', goal: { atMost: 0.25 } },
      { name: 'network: delete', unit: 'ms', goal: { atMost: 0.1 } },
    ],
    rounds: 15,
    begin: ({ client }) => Promise.resolve({ round: () => createAndDelete(client) }),
  },
];
