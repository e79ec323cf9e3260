import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, messageOf } from '../errors.ts';
import { PROGRAM_PATH } from '../host/processes.ts';
import type { HostFacts, HostProcesses } from '../host/types.ts';
import type { Logger } from '../logger.ts';
import { BERTH_VERSION } from '../version.ts';
import { adviseOn } from './advisories.ts';
import { readBootId } from './boot-id.ts';
import { probeWalls } from './probe-walls.ts';
import type { Wall } from './read-walls.ts';

/** What the self-test is made with. */
export interface SelfTestOptions {
  /** Where the result is kept until the next boot, readable by root only. */
  readonly root: string;
  /** For the probe container's files. */
  readonly directory: string;
  /** For the probe container. */
  readonly cgroupPath: string;
  readonly processes: HostProcesses;
  readonly facts: HostFacts;
  readonly log: Logger;
}

/** What it found. */
export interface SelfTestResult {
  readonly walls: readonly Wall[];
  /** As the runtime prints it. */
  readonly runcVersion: string;
}

/** Looks whether a container is held in, once per boot, runtime and berth: later starts read what the first has found. */
export async function selfTest(options: SelfTestOptions): Promise<SelfTestResult> {
  const file = join(options.root, 'self-test.json');
  const key = await keyOf(options.facts);
  const known = await readKnown(file, key);
  if (known) return known;
  const [walls, runcVersion] = await Promise.all([probeWalls(options), readRuncVersion(options.processes)]);
  const result = { walls, runcVersion };
  // A wall may be put up without a new boot: only what is well is remembered.
  if (walls.every(({ stands }) => stands)) await keep(file, key, result).catch(reportUnkept(options.log));
  return result;
}

/** Unavailable where a wall is missing, unless the operator takes the host as it is. */
export function requireWalls({ walls }: SelfTestResult, isWeakAccepted: boolean): void {
  const missing = walls.filter(({ stands }) => !stands);
  if (missing.length === 0 || isWeakAccepted) return;
  const list = missing.map(({ name, detail }) => `${name} (${detail})`).join('; ');
  throw new EngineError(
    'Unavailable',
    `this host does not hold containers in: ${list}. See "berth doctor"; --accept-weak-host serves all the same`,
  );
}

/** What an operator and the clients are told about the host. */
export function hostWarnings({ walls, runcVersion }: SelfTestResult): readonly string[] {
  const missing = walls.filter(({ stands }) => !stands);
  const advice = adviseOn('runc', runcVersion);
  return [
    ...missing.map(({ name, detail }) => `This host does not hold containers in: ${name}: ${detail}`),
    ...(advice === undefined ? [] : [advice]),
  ];
}

/** Changes with all that the result depends on. */
async function keyOf({ kernelVersion, boundingSet, cgroupVersion }: HostFacts): Promise<string> {
  const parts = [
    await readBootId(),
    BERTH_VERSION,
    kernelVersion,
    boundingSet.toString(16),
    cgroupVersion,
    await runcIdentity(),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Which file the runtime is, and which state of it: asking it for its version costs a process. */
async function runcIdentity(): Promise<string> {
  for (const directory of PROGRAM_PATH.split(':')) {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = await stat(join(directory, 'runc'));
      return [directory, dev, ino, size, mtimeMs, ctimeMs].join(' ');
    } catch {
      // The next directory may have it.
    }
  }
  return '';
}

async function readRuncVersion(processes: HostProcesses): Promise<string> {
  try {
    const { stdout } = await processes.run(['runc', '--version'], { timeoutMs: 5_000 });
    return /^runc version (\S+)/m.exec(stdout)?.[1] ?? '';
  } catch {
    return '';
  }
}

interface Kept extends SelfTestResult {
  readonly key: string;
}

async function readKnown(file: string, key: string): Promise<SelfTestResult | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as Partial<Kept>;
    const { walls, runcVersion } = kept;
    return kept.key === key && Array.isArray(walls) && typeof runcVersion === 'string'
      ? { walls, runcVersion }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all: jobs of one root may start at the same time. */
async function keep(file: string, key: string, result: SelfTestResult): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, JSON.stringify({ key, ...result } satisfies Kept), { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

function reportUnkept(log: Logger): (error: unknown) => void {
  return (error) => {
    log.warn({ err: messageOf(error) }, 'result of the self-test not kept');
  };
}
