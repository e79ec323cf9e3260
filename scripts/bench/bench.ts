import { loadavg } from 'node:os';
import { buildImage } from '../../test/support/image-builder.ts';
import { dockerArchive } from '../../test/support/image-builder-archives.ts';
import { residentMib, startBerth, startDockerd, withHome, type Daemon } from './daemons.ts';
import { ROWS, type Row } from './rows.ts';

const START_ROUNDS = 5;

interface Result {
  readonly row: string;
  readonly unit: string;
  readonly berth: number;
  readonly dockerd: number | undefined;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Each daemon's round in turn, so that a noisy neighbour hits both. */
async function measureRow(row: Row, daemons: readonly Daemon[]): Promise<Result> {
  const prepared = await Promise.all(daemons.map(async ({ client }) => (await row.prepare?.(client)) ?? ''));
  const times = daemons.map((): number[] => []);
  for (let round = 0; round <= row.rounds; round += 1)
    for (const [index, { client }] of daemons.entries()) {
      const startedAt = performance.now();
      await row.run(client, prepared[index] ?? '');
      // The first round warms up.
      if (round > 0) times[index]?.push(performance.now() - startedAt);
    }
  for (const [index, { client }] of daemons.entries()) await row.finish?.(client, prepared[index] ?? '');
  return { row: row.name, unit: 'ms', ...byName(daemons, times.map(median)) };
}

function byName(daemons: readonly Daemon[], values: readonly number[]): Pick<Result, 'berth' | 'dockerd'> {
  const of = (name: Daemon['name']): number | undefined =>
    values[daemons.findIndex((daemon) => daemon.name === name)];
  return { berth: of('berth') ?? Number.NaN, dockerd: of('dockerd') };
}

/** Start and stop, in turn; the first start of each is not counted. */
async function measureStarts(home: string): Promise<Result> {
  const berth: number[] = [];
  const dockerd: number[] = [];
  for (let round = 0; round <= START_ROUNDS; round += 1) {
    for (const [times, daemon] of [
      [berth, await startBerth(home, `start${String(round)}`)],
      [dockerd, await startDockerd(home)],
    ] as const) {
      if (round > 0 && daemon) times.push(daemon.startToPingMs);
      await daemon?.stop();
    }
  }
  return {
    row: 'start to ping, containerd included',
    unit: 'ms',
    berth: median(berth),
    dockerd: dockerd.length > 0 ? median(dockerd) : undefined,
  };
}

async function measureDaemons(home: string, wanted: (row: string) => boolean): Promise<readonly Result[]> {
  const started = [await startBerth(home, 'bench'), await startDockerd(home)];
  const daemons = started.filter((daemon) => daemon !== undefined);
  try {
    const memory = await Promise.all(daemons.map(({ pid }) => residentMib(pid)));
    const image = await dockerArchive([{ image: await buildImage(), tags: ['bench:latest'] }]);
    for (const { client } of daemons) await client.expect('POST', '/images/load?quiet=1', image);
    const results: Result[] = [
      { row: 'memory after the first ping (RSS)', unit: 'MiB', ...byName(daemons, memory) },
    ];
    for (const row of ROWS) if (wanted(row.name)) results.push(await measureRow(row, daemons));
    return results;
  } finally {
    for (const daemon of daemons) await daemon.stop();
  }
}

function format({ row, unit, berth, dockerd }: Result): string {
  const ratio = dockerd === undefined ? '–' : (berth / dockerd).toFixed(2);
  return `| ${row} | ${berth.toFixed(1)} ${unit} | ${dockerd === undefined ? '–' : `${dockerd.toFixed(1)} ${unit}`} | ${ratio} |\n`;
}

const patterns = process.argv.slice(2);
const wanted = (row: string): boolean =>
  patterns.length === 0 || patterns.some((pattern) => row.includes(pattern));
await withHome(async (home) => {
  const results = [
    ...(wanted('start to ping') ? [await measureStarts(home)] : []),
    ...(await measureDaemons(home, wanted)),
  ];
  process.stdout.write(
    `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}; medians\n\n`,
  );
  process.stdout.write('| row | berth | dockerd | ratio |\n|---|--:|--:|--:|\n');
  for (const result of results) process.stdout.write(format(result));
});
