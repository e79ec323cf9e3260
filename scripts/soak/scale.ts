// How cost grows with containers in a job, and with jobs on one containerd, by hand: scripts/soak/scale [CONTAINERS] [JOBS]. Prints the two tables of docs/scaling.md.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildImage } from '../../test/support/image-builder.ts';
import { dockerArchive } from '../../test/support/image-builder-archives.ts';
import { createContainer, IMAGE, startAndWait, startContainer } from '../bench/containers.ts';
import { residentMib, startBerth, withHome, type Daemon } from '../bench/daemons.ts';
import { timeMs } from '../bench/row.ts';
import { containerdOf, readyLine } from '../bench/rows/lives.ts';

const STEPS = 6;
const SAMPLES = 9;
const IDLE_SECONDS = 5;
/** Ends at once when it is told to. */
const OBEDIENT = ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'];
const [containers = 300, jobs = 50] = process.argv.slice(2).map(Number);

await withHome(async (home) => {
  const image = await dockerArchive([{ image: await buildImage(), tags: [IMAGE] }]);
  await growContainers(await startBerth(home, 'scale'), image);
  await growJobs(home, image);
});

async function growContainers(berth: Daemon, image: Buffer): Promise<void> {
  try {
    await berth.client.expect('POST', '/images/load?quiet=1', image);
    say([
      'containers',
      'next start, ms',
      'a short run, ms',
      'list, ms',
      'inspect, ms',
      'berth, MiB',
      'all, MiB',
    ]);
    await sampleJob(berth, 0);
    for (let step = 1; step <= STEPS; step += 1) {
      for (let count = 0; count < containers / STEPS; count += 1)
        await startContainer(berth.client, OBEDIENT);
      await sampleJob(berth, Math.round((containers / STEPS) * step));
    }
  } finally {
    say(['the end of it', `${(await berth.stop()).toFixed(0)} ms`]);
  }
}

async function sampleJob(berth: Daemon, running: number): Promise<void> {
  const { client } = berth;
  const id = await createContainer(client, OBEDIENT);
  const start = await timeMs(() => client.expect('POST', `/containers/${id}/start`));
  const run = await median(() => runShortly(berth));
  const list = await median(() => client.expect('GET', '/containers/json'));
  const inspect = await median(() => client.expect('GET', `/containers/${id}/json`));
  await client.expect('DELETE', `/containers/${id}?force=1`);
  const [own, all] = [await residentMib(berth.pid), berth.group.pssMib()];
  say([
    running,
    start.toFixed(0),
    run.toFixed(0),
    list.toFixed(1),
    inspect.toFixed(1),
    own.toFixed(0),
    all.toFixed(0),
  ]);
}

async function growJobs(home: string, image: Buffer): Promise<void> {
  // The first one has the containerd of all.
  const first = await startBerth(home, 'job-1');
  const open = [first];
  try {
    await first.client.expect('POST', '/images/load?quiet=1', image);
    const containerd = containerdOf(await readyLine(first));
    say([
      'jobs',
      'start to first list of the next, ms',
      'a short run in it, ms',
      'all, MiB',
      'idle, ms CPU a second',
    ]);
    for (let step = 0; step <= STEPS; step += 1) {
      while (open.length < (jobs / STEPS) * step) {
        const berth = await startBerth(home, `job-${open.length + 1}`, { containerd });
        open.push(berth);
        await berth.client.expect('POST', '/images/load?quiet=1', image);
      }
      await sampleJobs(home, open, { containerd, image });
    }
  } finally {
    for (const berth of open.reverse()) await berth.stop();
  }
}

async function sampleJobs(
  home: string,
  open: readonly Daemon[],
  { containerd, image }: { readonly containerd: string; readonly image: Buffer },
): Promise<void> {
  const startedAt = performance.now();
  const berth = await startBerth(home, 'job-next', { containerd });
  await berth.client.expect('GET', '/containers/json');
  const start = performance.now() - startedAt;
  await berth.client.expect('POST', '/images/load?quiet=1', image);
  const run = await median(() => runShortly(berth));
  await berth.stop();
  const groups = open.map(({ group }) => group);
  const spent = (): number => groups.reduce((sum, group) => sum + group.cpuMs(), 0);
  const before = spent();
  await sleep(IDLE_SECONDS * 1000);
  const idle = (spent() - before) / IDLE_SECONDS;
  const all = groups.reduce((sum, group) => sum + group.pssMib(), 0);
  say([open.length, start.toFixed(0), run.toFixed(0), all.toFixed(0), idle.toFixed(1)]);
}

async function runShortly({ client }: Daemon): Promise<void> {
  const id = await createContainer(client, ['true']);
  await startAndWait(client, id);
  await client.expect('DELETE', `/containers/${id}`);
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const values: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) values.push(await timeMs(work));
  return values.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)] ?? Number.NaN;
}

function say(cells: readonly (string | number)[]): void {
  process.stdout.write(
    `| ${cells.join(' | ')} | load ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? ''} |\n`,
  );
}
