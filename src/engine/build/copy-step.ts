import { posix } from 'node:path';
import { cleanPath } from '../../dockerfile/clean-path.ts';
import { parseFileMode, type FileMode } from '../../dockerfile/file-mode.ts';
import type { Instruction } from '../../dockerfile/types.ts';
import { EngineError } from '../../errors.ts';
import type { FileOwner } from '../../rootfs/types-build.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import { findUser } from '../containers/container-spec.ts';
import { fetchUrlSource } from './add-url.ts';
import { describeNop } from './change-config.ts';
import { changeFiles } from './change-files.ts';
import {
  findSources,
  hashSources,
  writeInlineFiles,
  type CopySource,
  type SourceTree,
} from './copy-sources.ts';
import { commitStep, type StageRun } from './stage-run.ts';
import { openSource } from './stage-source.ts';

type CopyInstruction = Instruction & { readonly kind: 'ADD' | 'COPY' };

const ROOT: FileOwner = { uid: 0, gid: 0 };
const URL_SOURCE = /^https?:\/\//i;
const GIT_SOURCE = /^(?:git@|git:\/\/|ssh:\/\/)|\.git(?:#.*)?$/i;

/** COPY and ADD: files of the context, of the Dockerfile, of another stage or of an image. */
export async function copyStep(stage: StageRun, instruction: CopyInstruction): Promise<void> {
  refuseRemote(instruction);
  const from = instruction.kind === 'COPY' && instruction.from !== '' ? instruction.from : undefined;
  const other =
    from === undefined
      ? undefined
      : await inWords(`invalid from flag value ${from}`, () =>
          openSource(stage.run, { from, stage: stage.index }, stage.report),
        );
  try {
    const tree = {
      root: other?.root ?? stage.run.context,
      isContext: other === undefined,
      excludes: instruction.excludes,
    };
    const sources = await inWords(`${instruction.kind} failed`, async () => [
      ...(await readSources(stage, tree, instruction)),
      ...(await writeInlineFiles(stage.run, instruction.inlineFiles)),
    ]);
    await commitCopy(stage, instruction, { sources, keepsOwners: other !== undefined });
  } finally {
    await other?.close();
  }
}

async function readSources(
  { run }: StageRun,
  tree: SourceTree,
  instruction: CopyInstruction,
): Promise<readonly CopySource[]> {
  const { kind, sources, destination } = instruction;
  if (kind === 'COPY' || !sources.some((source) => URL_SOURCE.test(source)))
    return findSources(run, tree, sources);
  const found: CopySource[] = [];
  for (const url of sources) {
    const { checksum } = instruction;
    if (URL_SOURCE.test(url)) found.push(await fetchUrlSource(run, { url, checksum, destination }));
    else found.push(...(await findSources(run, tree, [url])));
  }
  return found;
}

interface Copying {
  readonly sources: readonly CopySource[];
  /** Files of another stage or image keep their owners unless others are asked for. */
  readonly keepsOwners: boolean;
}

async function commitCopy(stage: StageRun, instruction: CopyInstruction, copying: Copying): Promise<void> {
  const { kind, destination, chown, chmod } = instruction;
  const { sources } = copying;
  if (sources.length === 0)
    throw new EngineError('InvalidArgument', `${kind} failed: no source files were specified`);
  if (sources.length > 1 && !destination.endsWith('/') && destination !== '.')
    throw new EngineError(
      'InvalidArgument',
      `When using ${kind} with more than one source file, the destination must be a directory and end with a /`,
    );
  const flags = `${chown === '' ? '' : `--chown=${chown} `}${chmod === '' ? '' : `--chmod=${chmod} `}`;
  const { config } = stage;
  await commitStep(stage, {
    description: describeNop(config, `${kind} ${flags}${hashSources(sources)} in ${destination} `),
    dependsOn: [
      config.workingDir,
      ...sources.map(({ name }) => name),
      ...(instruction.kind === 'COPY' && instruction.keepsParents
        ? ['parents', ...sources.map(({ below }) => below)]
        : []),
    ],
    config,
    make: () => changeFiles(stage, (root) => copyAll(stage, root, { ...copying, instruction })),
  });
}

async function copyAll(
  stage: StageRun,
  root: RootHandle,
  copying: Copying & { readonly instruction: CopyInstruction },
): Promise<void> {
  const { instruction, sources, keepsOwners } = copying;
  const asked = await readOwner(stage, root, instruction.chown);
  const target: CopyTarget = {
    root,
    destination: placeDestination(stage.config.workingDir, instruction.destination),
    parentOwner: asked ?? ROOT,
    owner: asked ?? (keepsOwners ? undefined : ROOT),
    mode: readMode(instruction.chmod),
    unpacks: (source) => instruction.kind === 'ADD' && (instruction.unpack ?? !source.isFetched),
    keepsParents: instruction.kind === 'COPY' && instruction.keepsParents,
  };
  try {
    for (const source of sources) await copySource(stage, source, target);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.kind, `failed to copy files: ${error.message}`, { cause: error });
  }
}

interface CopyTarget {
  readonly root: RootHandle;
  /** Absolute; with a slash at its end where it says that it is a directory. */
  readonly destination: string;
  readonly parentOwner: FileOwner;
  /** Undefined: each file keeps its own. */
  readonly owner: FileOwner | undefined;
  readonly mode: FileMode | undefined;
  /** Whether an archive is unpacked. */
  readonly unpacks: (source: CopySource) => boolean;
  readonly keepsParents: boolean;
}

async function copySource({ run }: StageRun, source: CopySource, target: CopyTarget): Promise<void> {
  const { buildFiles, rootfs } = run.job;
  const { root, parentOwner, owner, mode } = target;
  const asked = target.keepsParents
    ? `${target.destination}/${source.isDirectory ? source.below : posix.dirname(source.below)}/`
    : target.destination;
  const from = { root: source.root, path: source.path };
  if (source.isDirectory) {
    const to = { root, path: await buildFiles.resolve({ root, path: asked }) };
    // As in dockerd: of the directories that are made, only the last one gets the owner that was asked for.
    await buildFiles.makeDirectory({ root, path: posix.dirname(to.path) }, ROOT);
    await buildFiles.makeDirectory(to, parentOwner);
    const { isExcluded } = source;
    await buildFiles.copy({ from, to, owner, mode, isExcluded, signal: run.signal });
    return;
  }
  const archive = target.unpacks(source) ? await buildFiles.openArchive(from) : undefined;
  if (archive) {
    await buildFiles.makeDirectory({ root, path: asked }, parentOwner);
    const to = { root, path: await buildFiles.resolve({ root, path: asked }) };
    await rootfs.writeArchive(to, archive, {
      noOverwriteDirNonDir: false,
      copyUidGid: true,
      signal: run.signal,
    });
    return;
  }
  const path = await placeFile(run, { asked, name: posix.basename(source.name), target });
  const { isExcluded } = source;
  await buildFiles.copy({ from, to: { root, path }, owner, mode, isExcluded, signal: run.signal });
}

/** Where a single file goes: into a directory under its own name, else to the path itself; its parents are made. */
async function placeFile(
  run: StageRun['run'],
  { asked, name, target }: { readonly asked: string; readonly name: string; readonly target: CopyTarget },
): Promise<string> {
  const { buildFiles } = run.job;
  const { root, parentOwner } = target;
  const existing = await buildFiles.find({ root, path: asked });
  const isDirectory = asked.endsWith('/') || existing?.kind === 'directory';
  const path = await buildFiles.resolve({ root, path: isDirectory ? `${asked}/${name}` : asked });
  await buildFiles.makeDirectory({ root, path: posix.dirname(path) }, parentOwner);
  return path;
}

function placeDestination(workingDir: string, destination: string): string {
  const isDirectory = destination.endsWith('/') || destination === '.' || destination.endsWith('/.');
  const path = cleanPath(destination.startsWith('/') ? destination : `/${workingDir}/${destination}`);
  return isDirectory && path !== '/' ? `${path}/` : path;
}

function readMode(chmod: string): FileMode | undefined {
  if (chmod === '') return undefined;
  const mode = parseFileMode(chmod);
  if (mode) return mode;
  throw new EngineError('InvalidArgument', `invalid chmod parameter: '${chmod}'. it should be octal string`);
}

/** Without a group the user's word stands for the group too. */
async function readOwner({ run }: StageRun, root: RootHandle, chown: string): Promise<FileOwner | undefined> {
  if (chown === '') return undefined;
  const parts = chown.split(':');
  const [user = '', group = user] = parts;
  if (parts.length > 2 || user === '' || group === '')
    throw new EngineError('InvalidArgument', `invalid chown string format: ${chown}`);
  const find = async (what: 'user' | 'group', spec: string): Promise<FileOwner> => {
    try {
      return await findUser(run.job, root, { user: spec, groupAdd: [] });
    } catch (error) {
      const [id, name] = what === 'user' ? ['uid', user] : ['gid', group];
      throw new EngineError(
        'InvalidArgument',
        `unable to convert uid/gid chown string to host mapping: can't find ${id} for ${what} ${name}: no such ${what}: ${name}`,
        { cause: error },
      );
    }
  };
  const { uid } = await find('user', `${user}:0`);
  return { uid, gid: (await find('group', `0:${group}`)).gid };
}

function refuseRemote(instruction: CopyInstruction): void {
  const { kind, sources } = instruction;
  for (const source of sources) {
    if (kind === 'COPY' && URL_SOURCE.test(source))
      throw new EngineError('InvalidArgument', "COPY failed: source can't be a URL for COPY");
    if (kind === 'ADD' && GIT_SOURCE.test(source))
      throw new EngineError(
        'NotImplemented',
        `ADD failed: ${source} is a git repository, which is not fetched: clone it in a RUN, or into the context`,
      );
  }
  if (kind === 'COPY' || instruction.checksum === '') return;
  const [only = ''] = sources;
  if (sources.length !== 1 || !URL_SOURCE.test(only))
    throw new EngineError('InvalidArgument', 'ADD failed: --checksum is for a single source that is a URL');
}

async function inWords<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind === 'Cancelled') throw error;
    throw new EngineError(error.kind, `${what}: ${error.message}`, { cause: error });
  }
}
