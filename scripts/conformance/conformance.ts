// Runs a client's own test suite on dockerd and on berth: see scripts/conformance/run.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { pushImage, startRegistry } from '../../test/support/registry.ts';
import { runCommand } from '../../test/support/e2e-process.ts';
import { startBerth, startDockerd, type Daemon, type Surroundings } from './daemons.ts';
import { conformanceImages } from './images.ts';
import { SUITES, type Suite, type TestResult } from './suites.ts';

const CACHE = resolve(import.meta.dirname, '../../.tmp/conformance');
const RUN_TIMEOUT_MS = 3_600_000;
const MESSAGE_CHARACTERS = 300;

interface Plan {
  readonly suite: Suite;
  readonly checkout: string;
  readonly tests: string | undefined;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    source: { type: 'string' },
    tag: { type: 'string' },
    tests: { type: 'string' },
    only: { type: 'string' },
    plugins: { type: 'string' },
  },
});
const name = positionals[0] ?? '';
const suite = SUITES[name];
if (!suite) throw new Error(`which suite? One of ${Object.keys(SUITES).join(', ')}`);

const { source = suite.source, tag = suite.tag, tests } = values;
const plan = { suite, checkout: join(CACHE, `${name}-${tag}`), tests };
await checkOut(plan, source, tag);
const results = await withImages(async (surroundings) => {
  const found = new Map<Daemon['name'], readonly TestResult[]>();
  for (const start of [startDockerd, startBerth]) {
    if (values.only !== undefined && start.name !== `start${values.only === 'berth' ? 'Berth' : 'Dockerd'}`)
      continue;
    const daemon = await start(surroundings);
    try {
      found.set(daemon.name, await runSuite(plan, daemon, surroundings.workspaces[0]));
    } finally {
      await daemon.stop();
    }
  }
  return found;
});
for (const [daemon, found] of results) reportFailures(daemon, found);
const [theirs, ours] = [results.get('dockerd'), results.get('berth')];
if (theirs && ours) compare(theirs, ours);

/** A checkout is kept for the next run. */
async function checkOut({ suite: { prepare }, checkout }: Plan, source: string, tag: string): Promise<void> {
  if (existsSync(checkout)) return;
  await mkdir(CACHE, { recursive: true });
  const partial = `${checkout}.part`;
  await rm(partial, { recursive: true, force: true });
  execFileSync('git', ['clone', '--quiet', source, partial], { stdio: 'inherit' });
  execFileSync('git', ['-C', partial, 'checkout', '--quiet', tag], { stdio: 'inherit' });
  const [program = '', ...args] = prepare;
  execFileSync(program, args, { cwd: partial, stdio: 'inherit' });
  execFileSync('mv', [partial, checkout]);
}

async function withImages<T>(use: (surroundings: Surroundings) => Promise<T>): Promise<T> {
  const data = await mkdtemp('/tmp/conformance-images-');
  const temporary = await mkdtemp('/tmp/conformance-work-');
  try {
    const registry = await startRegistry(data);
    try {
      for (const { names, image } of await conformanceImages(await findServer()))
        for (const imageName of names) await pushImage(registry, imageName, { image, kind: 'docker' });
    } finally {
      await registry.stop();
    }
    return await use({ data, workspaces: [temporary, plan.checkout], plugins: values.plugins });
  } finally {
    await rm(data, { recursive: true, force: true });
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The program in testcontainers' own image is a part of that suite. */
function findServer(): Promise<Buffer | undefined> {
  const place = join(plan.checkout, 'packages/testcontainers/fixtures/docker/docker/index.js');
  return existsSync(place) ? readFile(place) : Promise.resolve(undefined);
}

async function runSuite(
  { suite: ownSuite, checkout, tests }: Plan,
  { name: daemon, netns, env }: Daemon,
  temporary = '/tmp',
): Promise<readonly TestResult[]> {
  const report = `${checkout}-${daemon}.report`;
  await rm(report, { force: true });
  process.stderr.write(`${name} on ${daemon}…\n`);
  for (const image of ownSuite.images) execFileSync('docker', ['pull', '--quiet', image], { env });
  const { stdout, stderr } = await runCommand({
    program: 'nsenter',
    args: [`--net=${netns}`, ...ownSuite.command({ report, tests })],
    cwd: checkout,
    env: { ...env, TMPDIR: temporary },
    timeoutMs: RUN_TIMEOUT_MS,
  });
  await writeFile(`${checkout}-${daemon}.log`, `${stdout}\n${stderr}`);
  if (!existsSync(report)) throw new Error(`${name} on ${daemon} left no results:\n${stdout}\n${stderr}`);
  return ownSuite.read(report);
}

function reportFailures(daemon: string, found: readonly TestResult[]): void {
  for (const { file, name: test, verdict, message } of found)
    if (verdict === 'failed')
      say(`${daemon} fails ${file}: ${test}: ${message.slice(0, MESSAGE_CHARACTERS)}`);
}

/** Prints the table of docs/conformance.md. */
function compare(theirs: readonly TestResult[], ours: readonly TestResult[]): void {
  const passes = (found: readonly TestResult[]): readonly TestResult[] =>
    found.filter(({ verdict }) => verdict === 'passed');
  const keyOf = ({ file, name: test }: TestResult): string => `${file} ${test}`;
  const here = new Set(passes(ours).map(keyOf));
  const lost = passes(theirs).filter((one) => !here.has(keyOf(one)));
  const rows = [...new Set(theirs.map(({ file }) => file))].sort().map((file) => {
    const count = (found: readonly TestResult[]): number => found.filter((one) => one.file === file).length;
    return `| ${[file, count(theirs), count(passes(theirs)), count(passes(ours)), count(lost)].join(' | ')} |`;
  });
  say(
    '| file | tests | passed on dockerd | passed on berth | passed on dockerd alone |',
    '| --- | --: | --: | --: | --: |',
    ...rows,
  );
  for (const { file, name: test } of lost) say(`on dockerd alone: ${file}: ${test}`);
  const [all, kept] = [passes(theirs).length, passes(theirs).length - lost.length];
  say(
    `${kept} of the ${all} tests that pass on dockerd pass on berth (${((100 * kept) / all).toFixed(1)} %)`,
  );
}

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
