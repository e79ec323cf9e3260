// Measures berth beside a dockerd of its own: scripts/bench/run [--json FILE] [--readme] [--rounds N] [WORD…], rows whose name has one of the words.
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildImage } from '../../test/support/image-builder.ts';
import { createDeferred } from '../../src/lib/deferred.ts';
import { dockerArchive } from '../../test/support/image-builder-archives.ts';
import { IMAGE } from './containers.ts';
import { openCtr } from './ctr.ts';
import { startBerth, startDockerd, withHome } from './daemons.ts';
import { measureRow } from './measure.ts';
import { formatReport, toLine, writeInto, type Line } from './report.ts';
import type { InterleavedRow, Measured, Row, Stage, StagedRow } from './row.ts';
import { ROWS } from './rows/index.ts';
import { containerdOf, readyLine } from './rows/lives.ts';

const { values: flags, positionals: words } = parseArgs({
  options: { json: { type: 'string' }, readme: { type: 'boolean' }, rounds: { type: 'string' } },
  allowPositionals: true,
});

/** More than any row takes on a machine that is not overloaded: a daemon that hangs is a failure of the row. */
const ROW_TIMEOUT_MS = 300_000;

interface Outcome {
  readonly lines: Line[];
  readonly failures: string[];
}

/** A row that fails is said in the end, and the others are measured all the same. */
async function measureInto(
  outcome: Outcome,
  row: Row,
  measure: () => Promise<readonly Measured[]>,
): Promise<void> {
  const names = row.figures.map(({ name }) => name).join('; ');
  console.error(`bench: ${names}`);
  const timeout = createDeferred<never>();
  const timer = setTimeout(() => {
    timeout.reject(new Error(`has not ended in ${String(ROW_TIMEOUT_MS)} ms`));
  }, ROW_TIMEOUT_MS);
  try {
    const measured = await Promise.race([measure(), timeout.promise]);
    outcome.lines.push(...measured.map(toLine));
  } catch (error) {
    console.error(error);
    outcome.failures.push(`${names}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

async function measureInterleaved(
  stage: Stage,
  rows: readonly InterleavedRow[],
  outcome: Outcome,
): Promise<void> {
  if (rows.length === 0) return;
  const berth = await stage.startBerth('bench');
  try {
    const dockerd = await stage.startDockerd('bench-d');
    try {
      const daemons = [berth, ...(dockerd ? [dockerd] : [])];
      for (const { client } of daemons) await client.expect('POST', '/images/load?quiet=1', stage.image);
      const ctr = await openCtr(containerdOf(await readyLine(berth)), stage.home, stage.image);
      for (const row of rows)
        await measureInto(outcome, row, () =>
          measureRow({ ...row, rounds: stage.atMost(row.rounds) }, daemons, ctr),
        );
    } finally {
      await dockerd?.stop();
    }
  } finally {
    await berth.stop();
  }
}

const isWanted = (row: Row): boolean =>
  words.length === 0 || row.figures.some(({ name }) => words.some((word) => name.includes(word)));
const wanted = ROWS.filter(isWanted);
if (wanted.length === 0) throw new Error(`no row has ${words.join(' or ')} in its name`);

const [before = 0] = loadavg();
const outcome: Outcome = { lines: [], failures: [] };
await withHome(async (home) => {
  const image = await dockerArchive([{ image: await buildImage(), tags: [IMAGE] }]);
  const stage: Stage = {
    home,
    image,
    atMost: (rounds) => Math.min(rounds, Number(flags.rounds ?? rounds)),
    startBerth: (job, options) => startBerth(home, job, options),
    startDockerd: (name, options) => startDockerd(home, name, options),
  };
  const staged = wanted.filter((row): row is StagedRow => 'measure' in row);
  for (const row of staged) await measureInto(outcome, row, () => row.measure(stage));
  const interleaved = wanted.filter((row): row is InterleavedRow => 'begin' in row);
  await measureInterleaved(stage, interleaved, outcome);
});
const [after = 0] = loadavg();
const report = {
  date: new Date().toISOString(),
  machine: `${String(cpus().length)} processors, Linux ${release().split('-')[0] ?? ''}, Node ${process.versions.node}`,
  load: [before, after] as const,
  ...outcome,
};
process.stdout.write(formatReport(report));
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(report, undefined, 2)}\n`);
if (flags.readme) await writeInto(join(import.meta.dirname, '../../README.md'), report);
// A row that hangs would hold the process up.
process.exit(outcome.failures.length > 0 ? 1 : 0);
