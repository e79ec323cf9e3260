// Loads one job for long, by hand: scripts/soak/run [rounds] [gigabytes of one log]. Ends with 1 at the first thing that is not as promised.
import { execFileSync } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startBerth } from '../../test/support/e2e-berth.ts';
import { loadBusybox } from '../../test/support/e2e-job.ts';
import {
  exitCodeOf,
  followLogs,
  footprintOf,
  outputOf,
  removeContainer,
  runContainers,
  runExecs,
  startContainer,
  vanish,
} from '../../test/support/load-scenarios.ts';

const MAX_PEAK_MB = 400;
// A container's log is cut at 256 MiB by default, one file of it late at most.
const MAX_LOG_MB = 400;
const FLOOD_TIMEOUT_MS = 3_600_000;
const [rounds = 5, gigabytes = 10] = process.argv.slice(2).map(Number);

const berth = await startBerth();
try {
  await loadBusybox(berth);
  for (let round = 1; round <= rounds; round += 1) await soak(round);
  await flood();
} finally {
  const { code, report } = await berth.stop();
  say(`end of the job: exit ${code}, leaks ${JSON.stringify(report?.leaks)}`);
  if (code !== 0) process.exitCode = 1;
}

async function soak(round: number): Promise<void> {
  requireNone('containers', await runContainers(berth, 50));
  requireNone('execs', await runExecs(berth, { total: 1000, atOnce: 50 }));
  const cut = await followLogs(berth, { followers: 100, lines: 100_000 });
  requireNone('followers', cut === 0 ? [] : [`${cut} have not got every line`]);
  await vanish(berth, 50);
  // Containers keep running while containerd is away, and the job goes on when it is back.
  const survivor = await startContainer(berth, 'sleep 10; echo survived');
  const pids = execFileSync('pgrep', ['-f', `containerd --config ${berth.directories.root}`]).toString();
  process.kill(Number(pids.split('\n')[0]), 'SIGKILL');
  const output = (await exitCodeOf(berth, survivor)) === 0 ? await outputOf(berth, survivor) : 'an exit code';
  requireNone('containerd', output === 'survived\n' ? [] : [JSON.stringify(output)]);
  await removeContainer(berth, survivor);
  await requireSmall(`round ${round}`);
}

async function flood(): Promise<void> {
  const bytes = gigabytes * 10 ** 9;
  const id = await startContainer(berth, `yes 0123456789 | head -c ${bytes}; echo; echo the end`);
  const code = await exitCodeOf(berth, id, FLOOD_TIMEOUT_MS);
  const last = await outputOf(berth, id, '&tail=1');
  const mb = (await logBytesOf(id)) / 1e6;
  say(`the log of ${gigabytes} GB keeps ${mb.toFixed(0)} MB on disk`);
  requireNone('disk', mb <= MAX_LOG_MB ? [] : [`${mb.toFixed(0)} MB of log`]);
  requireNone('flood', code === 0 && last === 'the end\n' ? [] : [`exit ${code}, ${JSON.stringify(last)}`]);
  await requireSmall(`${gigabytes} GB of log`);
  await removeContainer(berth, id);
}

async function logBytesOf(id: string): Promise<number> {
  const directory = join(berth.directories.root, 'jobs', berth.ready.job, 'containers', id, 'log');
  const files = await Promise.all((await readdir(directory)).map((name) => stat(join(directory, name))));
  return files.reduce((sum, { size }) => sum + size, 0);
}

function requireNone(what: string, wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Error(`${what}: ${wrong.slice(0, 10).join('; ')}`);
}

async function requireSmall(when: string): Promise<void> {
  const { files, rssMb, peakMb } = await footprintOf(berth);
  say(`${when}: ${files} files open, ${rssMb.toFixed(0)} MB, ${peakMb.toFixed(0)} MB at most`);
  if (peakMb > MAX_PEAK_MB) throw new Error(`berth has grown to ${peakMb.toFixed(0)} MB`);
}

function say(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`);
}
