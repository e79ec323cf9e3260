import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startContainer } from '../containers.ts';
import { runProgram } from '../ctr.ts';
import { berthPlaces, residentMib, type Daemon } from '../daemons.ts';
import { timeMs, type Figure, type Measured, type Stage, type StagedRow } from '../row.ts';

const STARTS = 15;
const COLD_STARTS = 7;
const RUNNING = 50;
const ENDED_WITH = 30;
const ENDS = 3;
/** Ends at once when it is told to: an end that waits for containers says nothing of daemons. */
const OBEDIENT = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'];

interface Start {
  readonly pingMs: number;
  readonly readyMs: number;
  readonly pingRssMib: number;
  readonly listRssMib: number;
}

/** From the spawn to the first ping, and to the first question that needs all of the daemon. */
async function startOnce(start: () => Promise<Daemon | undefined>): Promise<Start | undefined> {
  const startedAt = performance.now();
  const daemon = await start();
  if (!daemon) return undefined;
  const pingRssMib = await residentMib(daemon.pid);
  await daemon.client.expect('GET', '/containers/json');
  const readyMs = performance.now() - startedAt;
  // When all of it is there: berth answers a ping before the most of it is loaded.
  const listRssMib = await residentMib(daemon.pid);
  await daemon.stop();
  return { pingMs: daemon.startToPingMs, readyMs, pingRssMib, listRssMib };
}

async function measureStarts(
  rounds: number,
  starts: { readonly berth: () => Promise<Daemon>; readonly dockerd: () => Promise<Daemon | undefined> },
): Promise<{ readonly berth: readonly Start[]; readonly dockerd: readonly Start[] }> {
  const berth: Start[] = [];
  const dockerd: Start[] = [];
  for (let round = 0; round <= rounds; round += 1)
    for (const [taken, start] of [
      [berth, starts.berth],
      [dockerd, starts.dockerd],
    ] as const) {
      const one = await startOnce(start);
      // The first start makes directories that are there afterwards.
      if (one && round > 0) taken.push(one);
    }
  return { berth, dockerd };
}

const WARM: readonly Figure[] = [
  { name: 'start to ping, containerd running', unit: 'ms', goal: { atMost: 0.35 } },
  { name: 'start to first list, containerd running', unit: 'ms' },
  { name: 'memory after the first ping, RSS of the daemon', unit: 'MiB', goal: { valueAtMost: 52.45 } },
  { name: 'memory after the first list, RSS of the daemon', unit: 'MiB' },
];
const COLD: readonly Figure[] = [
  { name: 'start to ping, with its own containerd', unit: 'ms', goal: { atMost: 0.6 } },
  { name: 'start to first list, with its own containerd', unit: 'ms' },
];

function toMeasured(
  figures: readonly Figure[],
  taken: Awaited<ReturnType<typeof measureStarts>>,
): readonly Measured[] {
  const parts = [
    (start: Start) => start.pingMs,
    (start: Start) => start.readyMs,
    (start: Start) => start.pingRssMib,
    (start: Start) => start.listRssMib,
  ];
  return figures.map((figure, index) => {
    const part = parts[index] ?? (() => Number.NaN);
    return { ...figure, berth: taken.berth.map(part), dockerd: taken.dockerd.map(part) };
  });
}

const WARM_STARTS: StagedRow = {
  figures: WARM,
  async measure(stage) {
    // One job keeps the containerd that all the others use, and dockerd too.
    const keeper = await stage.startBerth('keeper');
    try {
      const containerd = containerdOf(await readyLine(keeper));
      const taken = await measureStarts(stage.atMost(STARTS), {
        berth: () => stage.startBerth('warm', { containerd }),
        dockerd: () => stage.startDockerd('warm-d', { containerd }),
      });
      return toMeasured(WARM, taken);
    } finally {
      await keeper.stop();
    }
  },
};

const COLD_ROW: StagedRow = {
  figures: COLD,
  async measure(stage) {
    const taken = await measureStarts(stage.atMost(COLD_STARTS), {
      berth: () => stage.startBerth('cold'),
      dockerd: () => stage.startDockerd('cold-d'),
    });
    return toMeasured(COLD, taken);
  },
};

/** berth's line of JSON, once it is there. */
export async function readyLine(daemon: Daemon): Promise<Readonly<Record<string, unknown>>> {
  // Answered only when the job is open; the line comes right after.
  await daemon.client.expect('GET', '/containers/json');
  while (!daemon.output().includes('\n')) await new Promise((resolve) => setTimeout(resolve, 5));
  return JSON.parse(daemon.output().split('\n')[0] ?? '') as Record<string, unknown>;
}

/** The address of the containerd that a berth works with. */
export function containerdOf(ready: Readonly<Record<string, unknown>>): string {
  return String(ready['containerd']);
}

async function startMany(stage: Stage, daemon: Daemon, count: number): Promise<void> {
  await daemon.client.expect('POST', '/images/load?quiet=1', stage.image);
  for (let index = 0; index < count; index += 1) await startContainer(daemon.client, OBEDIENT);
}

/** berth first, dockerd after it is gone: both at once would not fit on small machines. */
async function onEach(
  stage: Stage,
  measure: (daemon: Daemon) => Promise<number>,
): Promise<Pick<Measured, 'berth' | 'dockerd'>> {
  const berth = await measure(await stage.startBerth('lives'));
  const daemon = await stage.startDockerd('lives-d');
  return { berth: [berth], dockerd: daemon ? [await measure(daemon)] : [] };
}

const MEMORY: StagedRow = {
  figures: [
    { name: 'memory with 50 running containers, PSS of all processes', unit: 'MiB', goal: { atMost: 0.8 } },
  ],
  async measure(stage) {
    const values = await onEach(stage, async (daemon) => {
      await startMany(stage, daemon, RUNNING);
      const mib = daemon.group.pssMib();
      await daemon.stop();
      return mib;
    });
    return this.figures.map((figure) => ({ ...figure, ...values }));
  },
};

const ENDING: StagedRow = {
  figures: [
    { name: 'end of a job with 30 containers, to the last trace', unit: 'ms', goal: { atMost: 0.2 } },
    { name: 'gc after SIGKILL with 30 containers', unit: 'ms', goal: { valueAtMost: 5000 } },
  ],
  async measure(stage) {
    const [end, gc] = this.figures;
    const ends = { berth: [] as number[], dockerd: [] as number[] };
    const collected: number[] = [];
    for (let round = 0; round < stage.atMost(ENDS); round += 1) {
      const values = await onEach(stage, async (daemon) => {
        await startMany(stage, daemon, ENDED_WITH);
        return daemon.stop();
      });
      ends.berth.push(...values.berth);
      ends.dockerd.push(...values.dockerd);
      requireNothingLeft(stage);
      const killed = await stage.startBerth('killed');
      await startMany(stage, killed, ENDED_WITH);
      await killed.stop('SIGKILL');
      const program = join(import.meta.dirname, '../../../bin/berth');
      collected.push(await timeMs(() => runProgram(program, ['gc', ...berthPlaces(stage.home)])));
      // Its containers were still in it when berth was killed.
      killed.group.remove();
      requireNothingLeft(stage);
    }
    return [...(end ? [{ ...end, ...ends }] : []), ...(gc ? [{ ...gc, berth: collected, dockerd: [] }] : [])];
  },
};

function requireNothingLeft({ home }: Stage): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  for (const job of ['lives', 'killed'])
    if (mounts.includes(join(home, 'r', job)) || existsSync(join(home, 'r', job)))
      throw new Error(`the end of job ${job} left something`);
}

/** Beginnings and ends of daemons. */
export const LIFE_ROWS: readonly StagedRow[] = [WARM_STARTS, COLD_ROW, MEMORY, ENDING];
