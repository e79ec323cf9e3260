import type { Readable } from 'node:stream';
import { EngineError, isErrorKind } from '../../errors.ts';
import type { PathStat, RootHandle, WriteArchiveOptions } from '../../rootfs/types.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { findUser } from './container-spec.ts';
import { openContainerRoot, type ContainerRoot } from './container-root.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { updateRecord } from './update-record.ts';

/** Facts about a path, as the path-stat header has them. */
export type PathFacts = PathStat;

/** A path of a container, as a client names both. */
export interface ContainerPath {
  readonly containerRef: string;
  readonly path: string;
}

/** `HEAD …/archive`: facts about a path; NotFound in dockerd's words. */
export function statArchive(job: Job, at: ContainerPath): Promise<PathStat> {
  return withRoot(job, { ...at, isRead: true }, ({ root, path }) => job.rootfs.stat(root, path));
}

/** `GET …/archive`: hands the tar to `send` and returns when that is done. */
export async function readArchive(
  job: Job,
  at: ContainerPath,
  transfer: { readonly signal: AbortSignal; readonly send: (stat: PathStat, tar: Readable) => Promise<void> },
): Promise<void> {
  await withRoot(job, { ...at, isRead: true }, async ({ root, path }, container) => {
    const { stat, tar } = await job.rootfs.readArchive(root, path, transfer.signal);
    await transfer.send(stat, tar);
    emitContainerEvent(job, container, { action: 'archive-path' });
  });
}

/** `PUT …/archive`: unpacks a tar into an existing directory; PermissionDenied where the container may not write either. */
export async function writeArchive(
  job: Job,
  at: ContainerPath,
  transfer: {
    readonly tar: Readable;
    readonly noOverwriteDirNonDir: boolean;
    readonly copyUidGid: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  await withRoot(job, { ...at, isRead: false }, async ({ root, path, isReadOnly, isMount }, container) => {
    if (isReadOnly)
      throw new EngineError(
        'PermissionDenied',
        `${isMount ? 'mounted volume' : 'container rootfs'} is marked read-only`,
      );
    if (!container.record.isRootfsTouched) await updateRecord(job, container, { isRootfsTouched: true });
    await job.rootfs.writeArchive({ root, path }, transfer.tar, {
      ...transfer,
      ...(await ownersOf(job, container, { root, copyUidGid: transfer.copyUidGid })),
    });
    emitContainerEvent(job, container, { action: 'extract-to-dir' });
  });
}

/** As dockerd: the archive's owners are kept, unless the client asks for the container's user and there is one. */
async function ownersOf(
  job: Job,
  { record }: Container,
  asked: { readonly root: RootHandle; readonly copyUidGid: boolean },
): Promise<Pick<WriteArchiveOptions, 'copyUidGid' | 'owner'>> {
  const { User: user } = record.config;
  if (!asked.copyUidGid || user === '') return { copyUidGid: true };
  const { uid, gid } = await findUser(job, asked.root, { user, groupAdd: [] });
  return { copyUidGid: false, owner: { uid, gid } };
}

interface Opening extends ContainerPath {
  /** Nothing will be written. */
  readonly isRead: boolean;
}

async function withRoot<T>(
  job: Job,
  at: Opening,
  use: (root: ContainerRoot, container: Container) => Promise<T>,
): Promise<T> {
  const container = job.containers.resolve(at.containerRef);
  const open = (): Promise<T> => withOpenRoot(job, container, { at, use });
  // A stopped container must not start meanwhile: the same upper directory would be mounted twice.
  return container.run ? open() : job.containers.lock.run(container.id, open);
}

async function withOpenRoot<T>(
  job: Job,
  container: Container,
  {
    at,
    use,
  }: { readonly at: Opening; readonly use: (root: ContainerRoot, container: Container) => Promise<T> },
): Promise<T> {
  const opened = await openContainerRoot(job, container, at);
  try {
    return await use(opened, container);
  } catch (error) {
    if (isErrorKind(error, 'NotFound') && isNotDirectory(error.cause))
      throw new EngineError('InvalidArgument', `lstat ${opened.path}: not a directory`, { cause: error });
    if (isErrorKind(error, 'NotFound'))
      throw new EngineError(
        'NotFound',
        `Could not find the file ${at.path} in container ${at.containerRef}`,
        { cause: error },
      );
    throw error;
  } finally {
    await opened.root.close();
  }
}

/** A path that goes on behind a file, if by a `/` only. */
function isNotDirectory(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOTDIR';
}
