import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createContainer, removeContainer, requireSuccess, startAndWait } from '../containers.ts';
import type { Ctr } from '../ctr.ts';
import type { Daemon } from '../daemons.ts';
import { createMeter, createUnframer } from '../frames.ts';
import type { EngineClient } from '../engine-client.ts';
import type { InterleavedRow } from '../row.ts';

const FILE_BYTES = 32_000_000;
const ATTACH_REPEATS = 8;
const SILENT_REPEATS = 4;
const LINE = `${'0123456789'.repeat(9)}012345678`;

/** Makes a file of lines of 100 bytes in memory, and says something between its copies and after. */
function catScript(repeats: number, around: { readonly before: string; readonly after: string }): string {
  const copies = Array.from({ length: repeats }, () => 'cat /dev/shm/lines').join('; ');
  return `yes ${LINE} | head -c ${String(FILE_BYTES)} >/dev/shm/lines; ${around.before} ${copies}; ${around.after}`;
}

/** Seconds since the boot, by the container itself. */
const CLOCK = '$(cut -d" " -f1 /proc/uptime)';
const SILENT_SCRIPT = catScript(SILENT_REPEATS, { before: `a=${CLOCK};`, after: `echo "$a ${CLOCK}" >&2` });
const ATTACH_SCRIPT = catScript(ATTACH_REPEATS, { before: '', after: ':' });

function silentRate(text: string): number {
  const [from = Number.NaN, to = Number.NaN] = text.trim().split(' ').map(Number);
  const rate = (SILENT_REPEATS * FILE_BYTES) / 1e6 / (to - from);
  if (Number.isFinite(rate)) return rate;
  throw new Error(`no times: ${JSON.stringify(text)}`);
}

async function attachOnce(client: EngineClient): Promise<number> {
  const id = await createContainer(client, ['sh', '-c', ATTACH_SCRIPT]);
  const { socket, head } = await client.hijack(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`);
  const meter = createMeter();
  const unframe = createUnframer(meter.take);
  unframe(head);
  socket.on('data', unframe);
  const ended = once(socket, 'end');
  await client.expect('POST', `/containers/${id}/start`);
  await ended;
  const rate = meter.rate(ATTACH_REPEATS * FILE_BYTES);
  socket.destroy();
  await requireSuccess(client, id);
  await removeContainer(client, id);
  return rate;
}

async function attachFloor(ctr: Ctr): Promise<number> {
  const meter = createMeter();
  await ctr.run(['sh', '-c', ATTACH_SCRIPT], { stdout: meter.take });
  return meter.rate(ATTACH_REPEATS * FILE_BYTES);
}

async function writeUnattended(client: EngineClient): Promise<number> {
  const id = await createContainer(client, ['sh', '-c', SILENT_SCRIPT]);
  await startAndWait(client, id);
  const logs = await client.stream('GET', `/containers/${id}/logs?stderr=1`);
  let text = '';
  const unframe = createUnframer((payload) => (text += payload.toString()));
  for await (const chunk of logs) unframe(chunk as Buffer);
  await removeContainer(client, id);
  return silentRate(text);
}

async function unattendedFloor(ctr: Ctr): Promise<number> {
  let text = '';
  // Somebody has to read: ctr itself, which throws it away.
  await ctr.run(['sh', '-c', SILENT_SCRIPT], { stderr: (chunk) => (text += chunk.toString()) });
  return silentRate(text);
}

const INPUT_BYTES = 96_000_000;

/** Lines that no compression and no luck could make up. */
function makeInput(): Buffer {
  const line = randomBytes(72).toString('base64').padEnd(99, '=');
  return Buffer.alloc(INPUT_BYTES, `${line}\n`);
}

async function echoOnce({ client }: Daemon, input: Buffer): Promise<number> {
  const id = await createContainer(client, ['cat'], { stdin: true });
  const { socket, head } = await client.hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1`);
  const hash = createHash('sha256');
  const meter = createMeter();
  const unframe = createUnframer((payload) => {
    meter.take(payload);
    hash.update(payload);
  });
  unframe(head);
  socket.on('data', unframe);
  const ended = once(socket, 'end');
  await client.expect('POST', `/containers/${id}/start`);
  socket.end(input);
  await ended;
  const rate = meter.rate(input.length);
  if (hash.digest('hex') !== createHash('sha256').update(input).digest('hex'))
    throw new Error('not the bytes that were sent');
  socket.destroy();
  await requireSuccess(client, id);
  await removeContainer(client, id);
  return rate;
}

/** Streams of containers, as fast as they go. */
export const STREAM_ROWS: readonly InterleavedRow[] = [
  {
    figures: [{ name: 'attach: stream', unit: 'MB/s', goal: { atLeast: 3, floorAtLeast: 1 } }],
    cpu: { name: 'attach: CPU', unit: 'CPU s/GB', goal: { atMost: 0.3 }, bytes: ATTACH_REPEATS * FILE_BYTES },
    rounds: 5,
    begin: ({ client }) => Promise.resolve({ round: async () => [await attachOnce(client)] }),
    floor: (ctr) => Promise.resolve({ round: async () => [await attachFloor(ctr)] }),
  },
  {
    figures: [
      {
        name: 'a container writing 100-byte lines, unattended',
        unit: 'MB/s',
        goal: { atLeast: 6, floorAtLeast: 0.6 },
      },
    ],
    rounds: 5,
    begin: ({ client }) => Promise.resolve({ round: async () => [await writeUnattended(client)] }),
    floor: (ctr) => Promise.resolve({ round: async () => [await unattendedFloor(ctr)] }),
  },
  {
    figures: [{ name: 'stdin to stdout, hash checked', unit: 'MB/s', goal: { atLeast: 2.5 } }],
    rounds: 5,
    begin: (daemon) => {
      const input = makeInput();
      return Promise.resolve({ round: async () => [await echoOnce(daemon, input)] });
    },
  },
];
