// One job that streams logs for long, by hand: scripts/soak/stream [MINUTES] [MEGABYTES A SECOND]. Ends with 1 where a reader misses a line, or where the job grows.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildImage } from '../../test/support/image-builder.ts';
import { dockerArchive } from '../../test/support/image-builder-archives.ts';
import { createContainer, IMAGE, startAndWait, startContainer } from '../bench/containers.ts';
import { startBerth, withHome, type Daemon } from '../bench/daemons.ts';
import { createUnframer } from '../bench/frames.ts';
import { containerdOf, readyLine } from '../bench/rows/lives.ts';
import { takeFootprint, type HostFootprint, type HostPlace } from './host-footprint.ts';

const WRITERS = 3;
const LINE_BYTES = 100;
const NUMBER_BYTES = 12;
/** How long a reader stays that comes and goes. */
const VISIT_MS = 5_000;
/** From the last quarter's first sample to its last one. */
const MAX_GROWTH_MIB = 12;
const MAX_MORE_FILES = 8;
/** Collectors of V8 and containerd are at work for some seconds after the last request. */
const SETTLE_MS = 15_000;
const IDLE_SECONDS = 30;
const [minutes = 60, megabytes = 3] = process.argv.slice(2).map(Number);

await withHome(async (home) => {
  const daemon = await startBerth(home, 'stream');
  try {
    const image = await dockerArchive([{ image: await buildImage(), tags: [IMAGE] }]);
    await daemon.client.expect('POST', '/images/load?quiet=1', image);
    const containerd = containerdOf(await readyLine(daemon));
    const place = { daemon, containerd, root: join(home, 'b') };
    await soak(place);
  } finally {
    await daemon.stop();
  }
});

async function soak(place: HostPlace): Promise<void> {
  const { daemon } = place;
  const end = new AbortController();
  const ids: string[] = [];
  for (let index = 0; index < WRITERS; index += 1)
    ids.push(await startContainer(daemon.client, ['sh', '-c', writerScript(megabytes / WRITERS)]));
  const readers = ids.flatMap((id) => [
    follow(daemon, `/containers/${id}/logs?stdout=1&follow=1`, end.signal),
    follow(daemon, `/containers/${id}/logs?stdout=1&follow=1&tail=0`, end.signal),
    visit(daemon, id, end.signal),
  ]);
  const others = [...readers, work(daemon, ids[0] ?? '', end.signal)];
  // The first one that fails ends the soak.
  const failed = Promise.race(others.map((reader) => reader.then(() => new Promise<never>(() => undefined))));
  await Promise.race([sampleEachMinute(place), failed]);
  end.abort();
  await Promise.all(others);
  for (const id of ids) await daemon.client.expect('DELETE', `/containers/${id}?force=1`);
  await requireIdle(daemon);
}

function writerScript(rate: number): string {
  const lines = Math.round((rate * 1e6) / LINE_BYTES);
  const program = `BEGIN{for(i=n;i<n+${String(lines)};i++) printf "%0${String(NUMBER_BYTES)}d%s\\n",i,p}`;
  const padding = `$(printf '%0${String(LINE_BYTES - NUMBER_BYTES - 1)}d' 0)`;
  return `p=${padding}; n=0; while :; do awk -v n=$n -v p=$p '${program}'; n=$((n+${String(lines)})); sleep 1; done`;
}

/** Reads a log until the signal; throws where a line is missing, or where the daemon ends it first. */
async function follow({ client }: Daemon, path: string, end: AbortSignal): Promise<void> {
  const logs = await client.stream('GET', path);
  logs.on('data', createUnframer(requireSequence()));
  const isOver = await Promise.race([once(logs, 'end').then(() => true), left(end)]);
  if (isOver) throw new Error(`${path} has ended`);
  logs.on('error', () => undefined).destroy();
}

async function left(end: AbortSignal): Promise<false> {
  if (!end.aborted) await once(end, 'abort');
  return false;
}

/** A check that takes the payload in any pieces, and throws where numbers at the begins of lines do not follow each other. */
function requireSequence(): (payload: Buffer) => void {
  let rest = '';
  let expected: number | undefined;
  return (payload) => {
    const lines = (rest + payload.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const number = Number(line.slice(0, NUMBER_BYTES));
      if (expected !== undefined && number !== expected)
        throw new Error(`line ${String(number)} came, not ${String(expected)}`);
      expected = number + 1;
    }
  };
}

/** Readers that come, read for a while, and leave without a word. */
async function visit(daemon: Daemon, id: string, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    const leave = AbortSignal.any([end, AbortSignal.timeout(VISIT_MS)]);
    await follow(daemon, `/containers/${id}/logs?stdout=1&follow=1&tail=100`, leave);
    const { socket } = await daemon.client.hijack(`/containers/${id}/attach?stream=1&stdout=1`);
    socket.on('data', createUnframer(requireSequence()));
    await sleep(VISIT_MS);
    socket.destroy();
  }
}

/** What a job does meanwhile: short containers, and execs in one that writes. */
async function work({ client }: Daemon, id: string, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    const short = await createContainer(client, ['true']);
    await startAndWait(client, short);
    await client.expect('DELETE', `/containers/${short}`);
    const body = { Cmd: ['true'] };
    const exec = await client.expect<{ Id: string }>('POST', `/containers/${id}/exec`, body);
    await client.expect('POST', `/exec/${exec.Id}/start`, { Detach: true });
    await sleep(VISIT_MS);
  }
}

async function sampleEachMinute(place: HostPlace): Promise<void> {
  const samples: HostFootprint[] = [];
  for (let minute = 1; minute <= minutes; minute += 1) {
    await sleep(60_000);
    const sample = await takeFootprint(place);
    samples.push(sample);
    say(`minute ${String(minute)}: ${describe(sample)}`);
  }
  requireFlat(samples);
}

function describe(sample: HostFootprint): string {
  return Object.entries(sample)
    .map(([name, value]) => `${name} ${(value as number).toFixed(0)}`)
    .join(', ');
}

function requireFlat(samples: readonly HostFootprint[]): void {
  const [begin, end] = [samples[Math.floor((samples.length * 3) / 4)], samples.at(-1)];
  if (!begin || !end) throw new Error('there are no samples');
  if (end.berthMib - begin.berthMib > MAX_GROWTH_MIB) throw new Error('memory of berth grows');
  if (end.containerdMib - begin.containerdMib > MAX_GROWTH_MIB) throw new Error('memory of containerd grows');
  if (end.berthFiles - begin.berthFiles > MAX_MORE_FILES) throw new Error('descriptors of berth stay open');
  if (end.containerdFiles - begin.containerdFiles > MAX_MORE_FILES)
    throw new Error('descriptors of containerd stay open');
  if (end.leases > begin.leases + 2 || end.snapshots > begin.snapshots + 2)
    throw new Error('records of containerd stay');
}

async function requireIdle({ group }: Daemon): Promise<void> {
  await sleep(SETTLE_MS);
  const before = group.cpuMs();
  await sleep(IDLE_SECONDS * 1000);
  const idle = (group.cpuMs() - before) / IDLE_SECONDS;
  say(`idle: ${idle.toFixed(2)} ms of processor time in a second, its containerd included`);
}

function say(text: string): void {
  process.stdout.write(`${text}; load ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? ''}\n`);
}
