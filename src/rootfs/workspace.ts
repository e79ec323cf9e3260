import { constants, openSync } from 'node:fs';
import { readlink, realpath } from 'node:fs/promises';
import { posix } from 'node:path';

import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';
import { holdFd, type ContainedFile } from './contained.ts';
import { pooledCalls } from './file-calls.ts';
import { ensureDirectory } from './make-directory.ts';

const pathOnly = 0o10000000;
const maxLinks = 40;
const newDirectoryMode = 0o755;

/** A directory of the host that the job sees, at the same path. */
export interface Workspace {
  /** As the operator wrote it, and without links. */
  readonly paths: readonly string[];
  /** O_PATH; held for the life of the process, so that the directory cannot be exchanged. */
  readonly fd: number;
}

/** A place in a workspace. */
export interface WorkspacePlace {
  readonly workspace: Workspace;
  /** Below the workspace, without a leading slash; empty for the workspace itself. */
  readonly rest: string;
}

/** Opens the operator's directories; InvalidArgument for one that is not there. */
export async function openWorkspaces(paths: readonly string[]): Promise<readonly Workspace[]> {
  return Promise.all(paths.map(openWorkspace));
}

async function openWorkspace(path: string): Promise<Workspace> {
  try {
    const real = await realpath(path);
    return { paths: [...new Set([path, real])], fd: openSync(real, pathOnly | constants.O_DIRECTORY) };
  } catch (error) {
    throw new EngineError('InvalidArgument', `workspace ${path} is not a directory`, { cause: error });
  }
}

/** The innermost workspace that an absolute clean path lies in, or undefined. */
export function findWorkspace(workspaces: readonly Workspace[], path: string): WorkspacePlace | undefined {
  const [innermost] = workspaces
    .flatMap((workspace) => workspace.paths.map((top) => ({ workspace, top })))
    .filter(({ top }) => top === '/' || path === top || path.startsWith(`${top}/`))
    .toSorted((a, b) => b.top.length - a.top.length);
  return (
    innermost && { workspace: innermost.workspace, rest: path.slice(innermost.top.length).replace(/^\//, '') }
  );
}

/**
 * Opens a path as a process of the job would that sees nothing of the host but the workspaces: a link is followed to
 * where that process would find itself, and refused where this is outside. RESOLVE_IN_ROOT would give an absolute link
 * another meaning than it has for the job. PermissionDenied outside; errno errors else.
 */
export async function openInWorkspaces(
  { libc, workspaces }: { readonly libc: Libc; readonly workspaces: readonly Workspace[] },
  path: string,
  create: boolean,
): Promise<ContainedFile> {
  const place = await followLinks({ libc, workspaces }, path);
  try {
    return await openPlain(libc, place, 0);
  } catch (error) {
    if (!create || !isErrno(error, 'ENOENT')) throw error;
  }
  const openDirectory = (below: string): Promise<ContainedFile> =>
    openPlain(libc, { ...place, rest: below.replace(/^\//, '') }, constants.O_DIRECTORY);
  return ensureDirectory({ openDirectory, calls: pooledCalls(libc) }, `/${place.rest}`, newDirectoryMode);
}

/** No link is followed here: one that has come since the path was looked at is an error, ELOOP. */
async function openPlain(libc: Libc, place: WorkspacePlace, flags: number): Promise<ContainedFile> {
  const { workspace, rest } = place;
  const how = { flags: pathOnly | flags, resolve: ['BENEATH', 'NO_SYMLINKS', 'NO_MAGICLINKS'] } as const;
  return holdFd(await libc.openat2Async(workspace.fd, rest === '' ? '.' : rest, how));
}

async function followLinks(
  { libc, workspaces }: { readonly libc: Libc; readonly workspaces: readonly Workspace[] },
  path: string,
): Promise<WorkspacePlace> {
  let resolved = '/';
  let rest = namesOf(path);
  for (let links = 0; rest.length > 0;) {
    const [name = '', ...after] = rest;
    const candidate = posix.join(resolved, name);
    const place = name === '..' ? undefined : findWorkspace(workspaces, candidate);
    const target = place && (await readLinkAt(libc, place));
    if (target === undefined) {
      resolved = candidate;
      rest = after;
      continue;
    }
    links += 1;
    if (links > maxLinks) throw new EngineError('InvalidArgument', `too many links in ${path}`);
    if (target.startsWith('/')) resolved = '/';
    rest = [...namesOf(target), ...after];
  }
  const place = findWorkspace(workspaces, resolved);
  if (!place) throw outside(workspaces, path);
  return place;
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

async function readLinkAt(libc: Libc, place: WorkspacePlace): Promise<string | undefined> {
  if (place.rest === '') return undefined;
  try {
    const above = posix.dirname(place.rest);
    const parent = await openPlain(
      libc,
      { ...place, rest: above === '.' ? '' : above },
      constants.O_DIRECTORY,
    );
    try {
      return await readlink(`${parent.path}/${posix.basename(place.rest)}`);
    } finally {
      parent.close();
    }
  } catch (error) {
    // Not a link, or nothing: for whoever opens it to find out.
    if (isErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function outside(workspaces: readonly Workspace[], path: string): EngineError {
  const known = workspaces.map(({ paths }) => paths[0]).join(', ');
  return new EngineError(
    'PermissionDenied',
    `bind source path is not one that the job sees: ${path} (only directories that berth was given with --workspace ` +
      `can be bound: ${known === '' ? 'there is none' : known})`,
  );
}
