// Whether memory stays flat over many short containers, by hand: scripts/soak/cycles [CYCLES]. Ends with 1 where it grows, where descriptors are left open, or where an idle job is not idle.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildImage } from '../../test/support/image-builder.ts';
import { dockerArchive } from '../../test/support/image-builder-archives.ts';
import { createContainer, IMAGE, startAndWait } from '../bench/containers.ts';
import { residentMib, startBerth, withHome, type Daemon } from '../bench/daemons.ts';

const SAMPLES = 20;
const AT_ONCE = 4;
/** In the last quarter: before that V8 lets garbage lie until it knows how much there is of it (some 50 MiB). */
const MAX_GROWTH_MIB = 8;
const MAX_MORE_FILES = 8;
const MAX_RSS_MIB = 200;
/** Collectors of V8 and containerd are at work for some seconds after the last request. */
const SETTLE_MS = 15_000;
const IDLE_SECONDS = 10;
const MAX_IDLE_MS_PER_SECOND = 5;
const [cycles = 2000] = process.argv.slice(2).map(Number);

interface Sample {
  readonly rssMib: number;
  readonly files: number;
}

await withHome(async (home) => {
  const berth = await startBerth(home, 'soak');
  try {
    const image = await dockerArchive([{ image: await buildImage(), tags: [IMAGE] }]);
    await berth.client.expect('POST', '/images/load?quiet=1', image);
    await soak(berth);
  } finally {
    await berth.stop();
  }
});

async function soak(berth: Daemon): Promise<void> {
  const samples: Sample[] = [];
  for (let index = 1; index <= SAMPLES; index += 1) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => repeat(berth, cycles / SAMPLES / AT_ONCE)));
    const sample = await takeSample(berth);
    samples.push(sample);
    say(
      `${Math.round((cycles * index) / SAMPLES)} cycles: ${sample.rssMib.toFixed(1)} MiB, ${sample.files} files open`,
    );
  }
  requireFlat(samples);
  await sleep(SETTLE_MS);
  const before = berth.group.cpuMs();
  await sleep(IDLE_SECONDS * 1000);
  const idle = (berth.group.cpuMs() - before) / IDLE_SECONDS;
  say(`idle: ${idle.toFixed(2)} ms of processor time in a second, its containerd included`);
  if (idle > MAX_IDLE_MS_PER_SECOND) throw new Error('an idle job is not idle');
}

async function repeat({ client }: Daemon, count: number): Promise<void> {
  for (let cycle = 0; cycle < count; cycle += 1) {
    const id = await createContainer(client, ['true']);
    await startAndWait(client, id);
    await client.expect('DELETE', `/containers/${id}`);
  }
}

async function takeSample({ pid }: Daemon): Promise<Sample> {
  // What is deleted behind the answers has its time.
  await sleep(1000);
  return { rssMib: await residentMib(pid), files: readdirSync(`/proc/${String(pid)}/fd`).length };
}

function requireFlat(samples: readonly Sample[]): void {
  const quarter = samples.slice((samples.length * 3) / 4);
  const [begin, end] = [quarter[0], quarter.at(-1)];
  if (!begin || !end) throw new Error('there are no samples');
  if (end.rssMib > MAX_RSS_MIB || end.rssMib - begin.rssMib > MAX_GROWTH_MIB) throw new Error('memory grows');
  if (end.files - begin.files > MAX_MORE_FILES) throw new Error('descriptors stay open');
}

function say(text: string): void {
  process.stdout.write(`${text}; load ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? ''}\n`);
}
