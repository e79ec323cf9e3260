import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createIgnoreMatcher, parseIgnoreFile } from '../../dockerfile/ignore-file.ts';
import { cleanPath } from '../../dockerfile/clean-path.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { Job } from '../job.ts';
import type { ContextSource } from './build-run.ts';

const MAX_DOCKERFILE_BYTES = 1024 * 1024;

/** Puts the context into a directory of the build's own; every path in it is looked up inside of it alone. */
export async function openContext(
  job: Job,
  opening: {
    readonly source: ContextSource;
    readonly scratch: string;
    readonly signal: AbortSignal;
    readonly undo: CleanupStack;
  },
): Promise<RootHandle> {
  const directory = join(opening.scratch, `context-${createRandomId()}`);
  await mkdir(directory, { mode: 0o755 });
  const root = await job.rootfs.openMounts(
    [{ type: 'bind', source: directory, target: '', options: ['rbind', 'rw'] }],
    { isOwn: true },
  );
  opening.undo.defer('context', () => root.close());
  await opening.source.fill({ root, path: '/' }, opening.signal);
  return root;
}

/** The Dockerfile's text; what the ignore file beside it or of the context names is then taken out of the context. */
export async function readDockerfile(
  job: Job,
  root: RootHandle,
  options: { readonly path: string; readonly signal: AbortSignal },
): Promise<string> {
  if (cleanPath(options.path).startsWith('..'))
    throw new EngineError('InvalidArgument', `forbidden path outside the build context: ${options.path} ()`);
  const path = cleanPath(`/${options.path}`);
  const bytes = await readText(job, root, path);
  if (bytes === undefined)
    throw new EngineError('InvalidArgument', `Cannot locate specified Dockerfile: ${options.path}`);
  if (bytes.length === 0)
    throw new EngineError('InvalidArgument', `the Dockerfile (${options.path}) cannot be empty`);
  const ignoreFile =
    (await readText(job, root, `${path}.dockerignore`)) ?? (await readText(job, root, '/.dockerignore'));
  const matcher = createIgnoreMatcher(parseIgnoreFile(ignoreFile ?? ''));
  if (!matcher.isEmpty) await job.buildFiles.removeIgnored({ root, path: '/' }, matcher, options.signal);
  return bytes;
}

async function readText(job: Job, root: RootHandle, path: string): Promise<string | undefined> {
  try {
    return (await job.rootfs.readFile(root, path, MAX_DOCKERFILE_BYTES))?.toString('utf8');
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}
