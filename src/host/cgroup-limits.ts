import { constants } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from './errors.ts';
import type { CgroupLimits, CgroupMode } from './types.ts';

/** A mounted tree of cgroups, as far as limits are concerned. */
export interface LimitTree {
  readonly mode: CgroupMode;
  rootOf(controller: string): string | undefined;
}

const periodUs = 100_000;
// Above this a v1 limit only says "none": the largest page-aligned number.
const unlimitedBytes = 2 ** 62;

/** Limits a cgroup that exists; Unavailable where the kernel cannot, or what is used already is more. */
export async function writeLimits(tree: LimitTree, relative: string, limits: CgroupLimits): Promise<void> {
  const { memoryBytes, cpus, pids } = limits;
  const at = (controller: string): string => {
    const root = tree.rootOf(controller);
    if (root === undefined)
      throw new EngineError(
        'Unavailable',
        `this host cannot limit the job: it has no ${controller} controller`,
      );
    return join(root, relative);
  };
  try {
    if (memoryBytes !== undefined) await writeMemory(tree.mode, at('memory'), memoryBytes);
    if (cpus !== undefined) await writeCpus(tree.mode, at('cpu'), cpus);
    if (pids !== undefined) await writeFile(join(at('pids'), 'pids.max'), String(pids));
  } catch (error) {
    throw toEngineError(error, `cannot limit cgroup ${relative}`);
  }
}

// Swap is left out of a budget: a job that swaps slows all the others down.
async function writeMemory(mode: CgroupMode, directory: string, bytes: number): Promise<void> {
  if (mode === 'v2') {
    await writeFile(join(directory, 'memory.max'), String(bytes));
    await writeIfThere(join(directory, 'memory.swap.max'), '0');
    return;
  }
  const files = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'].map((name) => join(directory, name));
  const write = async (order: readonly string[]): Promise<void> => {
    for (const file of order) await writeIfThere(file, String(bytes));
  };
  try {
    await write(files);
  } catch (error) {
    // The one without swap may never be above the one with: which goes first depends on what was there.
    if (!isErrno(error, 'EINVAL')) throw error;
    await write(files.toReversed());
  }
}

async function writeCpus(mode: CgroupMode, directory: string, cpus: number): Promise<void> {
  const quotaUs = Math.max(1000, Math.round(cpus * periodUs));
  if (mode === 'v2') {
    await writeFile(join(directory, 'cpu.max'), `${quotaUs} ${periodUs}`);
    return;
  }
  await writeFile(join(directory, 'cpu.cfs_period_us'), String(periodUs));
  await writeFile(join(directory, 'cpu.cfs_quota_us'), String(quotaUs));
}

async function writeIfThere(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: constants.O_WRONLY | constants.O_TRUNC });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** The narrowest limits of a cgroup and of all above it. */
export async function readLimits(tree: LimitTree, relative: string): Promise<CgroupLimits> {
  const parts = relative.split('/');
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const narrowest = async (
    controller: string,
    read: (directory: string) => Promise<number | undefined>,
  ): Promise<number | undefined> => {
    const root = tree.rootOf(controller);
    if (root === undefined) return undefined;
    const found = await Promise.all(paths.map((path) => read(join(root, path))));
    const numbers = found.filter((limit) => limit !== undefined);
    return numbers.length === 0 ? undefined : Math.min(...numbers);
  };
  const isV2 = tree.mode === 'v2';
  const [memoryBytes, quota, cpuset, pids] = await Promise.all([
    narrowest('memory', (directory) =>
      readNumber(join(directory, isV2 ? 'memory.max' : 'memory.limit_in_bytes')),
    ),
    narrowest('cpu', isV2 ? readCpuMax : readCfsQuota),
    narrowest('cpuset', (directory) => countCpus(join(directory, effectiveFile(tree, 'cpus')))),
    narrowest('pids', (directory) => readNumber(join(directory, 'pids.max'))),
  ]);
  const cpus = [quota, cpuset].filter((count) => count !== undefined);
  return { memoryBytes, cpus: cpus.length === 0 ? undefined : Math.min(...cpus), pids };
}

/** What a cgroup may use in the end. */
export async function readCpuset(
  tree: LimitTree,
  relative: string,
): Promise<{ readonly cpus: string; readonly mems: string }> {
  const root = tree.rootOf('cpuset');
  if (root === undefined) return { cpus: '', mems: '' };
  const [cpus, mems] = await Promise.all(
    (['cpus', 'mems'] as const).map((what) => read(join(root, relative, effectiveFile(tree, what)))),
  );
  return { cpus: cpus ?? '', mems: mems ?? '' };
}

function effectiveFile({ mode }: LimitTree, what: 'cpus' | 'mems'): string {
  return mode === 'v2' ? `cpuset.${what}.effective` : `cpuset.effective_${what}`;
}

async function readCpuMax(directory: string): Promise<number | undefined> {
  const [quota = '', period = ''] = (await read(join(directory, 'cpu.max'))).split(' ');
  return toCpus(Number(quota), Number(period));
}

async function readCfsQuota(directory: string): Promise<number | undefined> {
  const [quota, period] = await Promise.all(
    ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) => read(join(directory, name))),
  );
  return toCpus(Number(quota), Number(period));
}

function toCpus(quotaUs: number, cpuPeriodUs: number): number | undefined {
  return quotaUs > 0 && cpuPeriodUs > 0 && Number.isFinite(quotaUs) ? quotaUs / cpuPeriodUs : undefined;
}

async function countCpus(path: string): Promise<number | undefined> {
  const list = await read(path);
  if (list === '') return undefined;
  return list
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = await read(path);
  const limit = Number(text);
  return text !== '' && Number.isFinite(limit) && limit < unlimitedBytes ? limit : undefined;
}

/** Empty where the file is not there: the root of a tree has no limits. */
async function read(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw toEngineError(error, 'cannot read the limits of a cgroup');
  }
}
