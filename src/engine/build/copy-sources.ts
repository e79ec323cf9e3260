import { createHash } from 'node:crypto';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { compileFilePattern, hasWildcards } from '../../dockerfile/file-pattern.ts';
import { createIgnoreMatcher } from '../../dockerfile/ignore-file.ts';
import { cleanPath } from '../../dockerfile/clean-path.ts';
import type { InlineFile } from '../../dockerfile/types.ts';
import { EngineError } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { BuildRun } from './build-run.ts';

/** Something that COPY or ADD takes: a file, or all that is in a directory. */
export interface CopySource {
  readonly root: RootHandle;
  /** In the root, links followed. */
  readonly path: string;
  /** As it was asked for, below the root: names the copy. */
  readonly name: string;
  /** The name with the directories that `--parents` keeps: all, or those after a `/./`. */
  readonly below: string;
  readonly isDirectory: boolean;
  readonly isExcluded: (path: string) => boolean;
  /** True for what a URL led to: ADD does not unpack it by itself. */
  readonly isFetched: boolean;
  readonly hash: string;
}

/** Where sources are looked for. */
export interface SourceTree {
  readonly root: RootHandle;
  /** False for a stage or an image, where `..` has no meaning and nothing was left out. */
  readonly isContext: boolean;
  readonly excludes: readonly string[];
}

/** Finds what the paths name, wildcards included; NotFound in dockerd's words. */
export async function findSources(
  run: BuildRun,
  tree: SourceTree,
  paths: readonly string[],
): Promise<readonly CopySource[]> {
  const found: CopySource[] = [];
  for (const asked of paths) {
    const path = placeInside(tree, asked);
    const pivot = asked.indexOf('/./');
    const base = pivot < 0 ? '' : placeInside(tree, asked.slice(0, pivot));
    const names = hasWildcards(path) ? await matchNames(run, tree, path) : [path];
    for (const name of names) {
      const source = await describeSource(run, tree, name);
      found.push({ ...source, below: posix.relative(`/${base}`, `/${name}`) });
    }
  }
  return found;
}

/** Puts text of the Dockerfile into files of its own. */
export async function writeInlineFiles(
  run: BuildRun,
  files: readonly InlineFile[],
): Promise<readonly CopySource[]> {
  const sources: CopySource[] = [];
  for (const { name, content } of files) {
    const directory = join(run.scratch, `inline-${createRandomId()}`);
    await mkdir(directory, { mode: 0o700 });
    await writeFile(join(directory, 'content'), content, { mode: 0o644, flag: 'wx' });
    if (run.epochSeconds !== undefined)
      await utimes(join(directory, 'content'), run.epochSeconds, run.epochSeconds);
    const root = await run.job.rootfs.openMounts(
      [{ type: 'bind', source: directory, target: '', options: ['rbind', 'ro'] }],
      { isOwn: true },
    );
    run.undo.defer('inline file', () => root.close());
    const hash = createHash('sha256')
      .update(JSON.stringify([name, content]))
      .digest('hex');
    sources.push({
      root,
      path: '/content',
      name: posix.basename(cleanPath(`/${name}`)),
      below: posix.basename(cleanPath(`/${name}`)),
      isDirectory: false,
      isExcluded: () => false,
      isFetched: false,
      hash: `file:${hash}`,
    });
  }
  return sources;
}

/** One hash of several sources, as history shows it. */
export function hashSources(sources: readonly CopySource[]): string {
  const [only] = sources;
  if (only && sources.length === 1) return only.hash;
  const joined = sources.map(({ hash }) => hash).join(',');
  return `multi:${createHash('sha256').update(joined).digest('hex')}`;
}

function placeInside({ isContext }: SourceTree, asked: string): string {
  const relative = cleanPath(asked.replace(/^\/+/, ''));
  if (isContext && (relative === '..' || relative.startsWith('../')))
    throw new EngineError('InvalidArgument', `forbidden path outside the build context: ${asked} ()`);
  return cleanPath(`/${relative}`).slice(1);
}

async function matchNames(run: BuildRun, { root }: SourceTree, pattern: string): Promise<readonly string[]> {
  const matches = compileFilePattern(pattern);
  // Names do not change where no wildcard is: only what is below has to be looked through.
  const fixed = pattern.split('/');
  const first = fixed.findIndex((part) => hasWildcards(part));
  const top = fixed.slice(0, first).join('/');
  if (!(await run.job.buildFiles.find({ root, path: `/${top}` }))) return [];
  const names: string[] = [];
  for await (const below of run.job.buildFiles.list({ root, path: `/${top}` }, run.signal)) {
    const name = top === '' ? below : `${top}/${below}`;
    if (matches(name)) names.push(name);
  }
  return names.sort();
}

async function describeSource(
  run: BuildRun,
  tree: SourceTree,
  name: string,
): Promise<Omit<CopySource, 'below'>> {
  const { root, isContext, excludes } = tree;
  const { buildFiles } = run.job;
  const found = await buildFiles.find({ root, path: `/${name}` });
  if (!found) {
    const missing = `stat ${name}: file does not exist`;
    throw new EngineError(
      'NotFound',
      isContext ? `file not found in build context or excluded by .dockerignore: ${missing}` : missing,
    );
  }
  const matcher = createIgnoreMatcher(excludes);
  const isExcluded = (path: string): boolean =>
    !matcher.isEmpty && (matcher.isIgnored(path) || matcher.isIgnored(`${name}/${path}`));
  const target = { root, path: found.path };
  const hash = await buildFiles.hash(target, { isExcluded, signal: run.signal });
  const isDirectory = found.kind === 'directory';
  return { root, path: found.path, name, isDirectory, isExcluded, isFetched: false, hash };
}
