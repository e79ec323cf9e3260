import { randomBytes } from 'node:crypto';
import { buildImage, type BuiltImage } from '../../../test/support/image-builder.ts';
import { dockerArchive } from '../../../test/support/image-builder-archives.ts';
import { pushImage } from '../../../test/support/registry.ts';
import type { Daemon } from '../daemons.ts';
import { startBenchRegistry, type BenchRegistry } from '../registry.ts';
import { readyLine } from './lives.ts';
import { timeMs, type Figure, type Measured, type Stage, type StagedRow } from '../row.ts';

/** How many layers there are, and of what size each is unpacked; half of that on the wire. */
interface Shape {
  readonly layers: number;
  readonly layerBytes: number;
}

const LARGE: Shape = { layers: 6, layerBytes: 50e6 };
const TINY: Shape = { layers: 60, layerBytes: 1000 };
const ROUNDS = 3;

const LARGE_FIGURES: readonly Figure[] = [
  { name: 'pull of 6 layers, 300 MB: cold', unit: 'ms', goal: { atMost: 0.7 } },
  { name: 'pull of 6 layers, 300 MB: cold, processor', unit: 'ms CPU', goal: { atMost: 0.7 } },
  // To dockerd the pull of each job is a cold one.
  { name: 'pull of 6 layers, 300 MB: by a second job', unit: 'ms', goal: { atMost: 0.005 } },
  { name: 'push of 300 MB', unit: 'MB/s', goal: { atLeast: 4 } },
  { name: 'save of 300 MB', unit: 'MB/s', goal: { atLeast: 1.5 } },
  { name: 'load of 300 MB', unit: 'MB/s', goal: { atLeast: 1.5 } },
];
const TINY_FIGURES: readonly Figure[] = [
  { name: 'pull of 60 tiny layers: cold', unit: 'ms', goal: { atMost: 0.3 } },
  { name: 'pull of 60 tiny layers: cold, processor', unit: 'ms CPU', goal: { atMost: 0.3 } },
];

/** An image that no other round has. */
function makeImage({ layers, layerBytes }: Shape, compression: 'gzip' | 'none'): Promise<BuiltImage> {
  return buildImage({
    base: 'scratch',
    compression,
    layers: Array.from({ length: layers }, (_, index) => [
      {
        path: `file-${String(index)}`,
        type: 'file' as const,
        content: randomBytes(layerBytes / 2).toString('hex'),
      },
    ]),
  });
}

/** Everything that the rounds of a row use. */
interface Place {
  readonly stage: Stage;
  readonly daemons: readonly Daemon[];
  /** Where images are pulled from, and another one to push to: nothing can be mounted across. */
  readonly source: BenchRegistry;
  readonly target: BenchRegistry;
}

type Values = readonly number[];

/** Starts the daemons and the registries for the rounds, and ends them. */
async function measureRounds(
  stage: Stage,
  row: { readonly name: string; readonly figures: readonly Figure[] },
  takeRound: (place: Place, round: number) => Promise<readonly Values[]>,
): Promise<readonly Measured[]> {
  const ends: (() => unknown)[] = [];
  try {
    const berth = await stage.startBerth(row.name, { args: ['--cache-scope', 'bench'] });
    ends.unshift(() => berth.stop());
    const dockerd = await stage.startDockerd(`${row.name}-d`);
    if (dockerd) ends.unshift(() => dockerd.stop());
    const namespaces = dockerd ? [dockerd.netns] : [];
    const source = await startBenchRegistry(stage.home, `${row.name}-source`, namespaces);
    ends.unshift(() => {
      source.stop();
    });
    const target = await startBenchRegistry(stage.home, `${row.name}-target`, namespaces);
    ends.unshift(() => {
      target.stop();
    });
    const place = { stage, daemons: [berth, ...(dockerd ? [dockerd] : [])], source, target };
    const rounds: (readonly Values[])[] = [];
    for (let round = 0; round <= stage.atMost(ROUNDS); round += 1) {
      const values = await takeRound(place, round);
      if (round > 0) rounds.push(values);
    }
    const of = (index: number, daemon: number): Values =>
      rounds.flatMap((values) => values[daemon]?.[index] ?? []);
    return row.figures.map((figure, index) => ({ ...figure, berth: of(index, 0), dockerd: of(index, 1) }));
  } finally {
    for (const end of ends) await end();
  }
}

/** Pulls; throws unless the image is there in the end. */
async function pull({ client }: Daemon, name: string): Promise<void> {
  const { text } = await client.call(
    'POST',
    `/images/create?tag=latest&fromImage=${encodeURIComponent(name)}`,
  );
  if (text.includes('errorDetail')) throw new Error(`pull of ${name}: ${text.slice(-500)}`);
  await client.expect('GET', `/images/${name}/json`);
}

async function pullCold(daemon: Daemon, name: string): Promise<Values> {
  const before = daemon.group.cpuMs();
  const ms = await timeMs(() => pull(daemon, name));
  return [ms, daemon.group.cpuMs() - before];
}

async function push({ client }: Daemon, name: string, repository: string): Promise<number> {
  await client.expect('POST', `/images/${name}/tag?repo=${encodeURIComponent(repository)}&tag=1`);
  const ms = await timeMs(async () => {
    // Empty credentials: without a header for them dockerd wants a body.
    const { text } = await client.call('POST', `/images/${repository}/push?tag=1`, {});
    if (!text.includes('"Digest"')) throw new Error(`push to ${repository}: ${text.slice(-500)}`);
  });
  await client.expect('DELETE', `/images/${repository}:1`);
  return ms;
}

async function save({ client }: Daemon, name: string): Promise<number> {
  return timeMs(async () => {
    let bytes = 0;
    for await (const chunk of await client.stream('GET', `/images/${name}/get`))
      bytes += (chunk as Buffer).length;
    if (bytes < 1e6) throw new Error(`save of ${name}: ${String(bytes)} bytes`);
  });
}

async function load({ client }: Daemon, archive: Buffer): Promise<number> {
  return timeMs(async () => {
    const { text } = await client.call('POST', '/images/load?quiet=1', archive);
    if (!text.includes('Loaded image')) throw new Error(`load: ${text.slice(-500)}`);
  });
}

async function takeLarge(place: Place, round: number): Promise<readonly Values[]> {
  const { daemons, source, target } = place;
  const repository = `large-${String(round)}`;
  await pushImage(source, `${repository}:latest`, { image: await makeImage(LARGE, 'gzip'), kind: 'docker' });
  const name = `${source.host}/${repository}`;
  const cold: Values[] = [];
  for (const daemon of daemons) cold.push(await pullCold(daemon, name));
  const secondMs = await pullBySecondJob(place.stage, name, round);
  const megabytes = (LARGE.layers * LARGE.layerBytes) / 1e6;
  const rates = daemons.map((): number[] => []);
  for (const [index, daemon] of daemons.entries())
    rates[index]?.push(await push(daemon, name, `${target.host}/${daemon.name}-${String(round)}`));
  for (const [index, daemon] of daemons.entries()) rates[index]?.push(await save(daemon, name));
  const image = await makeImage(LARGE, 'none');
  const archive = await dockerArchive([{ image, tags: [`loaded:${String(round)}`] }]);
  for (const [index, daemon] of daemons.entries()) rates[index]?.push(await load(daemon, archive));
  return daemons.map((daemon, index) => [
    ...(cold[index] ?? []),
    daemon.name === 'berth' ? secondMs : (cold[index]?.[0] ?? Number.NaN),
    ...(rates[index] ?? []).map((ms) => megabytes / (ms / 1e3)),
  ]);
}

async function pullBySecondJob(stage: Stage, name: string, round: number): Promise<number> {
  const other = await stage.startBerth(`second-${String(round)}`, { args: ['--cache-scope', 'bench'] });
  try {
    // A runner's job begins when berth is ready: what it pulls first is not to be mixed with berth's own start.
    await readyLine(other);
    return await timeMs(() => pull(other, name));
  } finally {
    await other.stop();
  }
}

async function takeTiny({ daemons, source }: Place, round: number): Promise<readonly Values[]> {
  const repository = `tiny-${String(round)}`;
  await pushImage(source, `${repository}:latest`, { image: await makeImage(TINY, 'gzip'), kind: 'docker' });
  const values: Values[] = [];
  for (const daemon of daemons) values.push(await pullCold(daemon, `${source.host}/${repository}`));
  return values;
}

const LARGE_ROW: StagedRow = {
  figures: LARGE_FIGURES,
  measure: (stage) => measureRounds(stage, { name: 'large', figures: LARGE_FIGURES }, takeLarge),
};
const TINY_ROW: StagedRow = {
  figures: TINY_FIGURES,
  measure: (stage) => measureRounds(stage, { name: 'tiny', figures: TINY_FIGURES }, takeTiny),
};

/** Images in and out: registries and archives. */
export const TRANSFER_ROWS = [LARGE_ROW, TINY_ROW];
