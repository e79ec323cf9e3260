import { closeSync, fstatSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { Mount } from '../containerd/types.ts';
import { EngineError } from '../errors.ts';
import { errnoCode, toEngineError } from '../host/errors.ts';
import type { Libc } from '../host/types.ts';
import { createContained, persist } from './contained.ts';
import { makePrivate, placeOf, type Staging } from './stage-source.ts';
import type { StagePlace, PinnedSource } from './types-binds.ts';

const pathOnly = 0o10000000;
const readOnly = 1;
const noDevices = 4;
const remount = 32;
const bind = 4096;

/** See BindAccess.pinWithin. */
export async function pinWithin(libc: Libc, directory: string, subpath: string): Promise<PinnedSource> {
  const fd = subpath === '' ? openSync(directory, pathOnly) : await openBelow(libc, directory, subpath);
  const close = (): void => closeSync(fd);
  const facts = fstatSync(fd);
  if (facts.isDirectory()) return { fd, namespaceFd: undefined, kind: 'directory', close };
  if (facts.isFile()) return { fd, namespaceFd: undefined, kind: 'file', close };
  close();
  throw new EngineError('InvalidArgument', `${subpath} is neither a directory nor a regular file`);
}

async function openBelow(libc: Libc, directory: string, subpath: string): Promise<number> {
  const top = openSync(directory, pathOnly);
  try {
    return (await persist(() => createContained(libc, { fd: top, isOwn: false }).openPath(subpath))).fd;
  } catch (error) {
    const code = errnoCode(error);
    if (code === undefined) throw error;
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file or directory' : code;
    throw new EngineError('InvalidArgument', `cannot access path ${subpath}: ${reason}`, { cause: error });
  } finally {
    closeSync(top);
  }
}

/** See BindAccess.stageImage. */
export async function stageImageAt(
  staging: Staging,
  view: readonly Mount[],
  place: StagePlace,
): Promise<string> {
  const { libc, mounts } = staging;
  const target = placeOf(staging, place);
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await mkdir(target, { mode: 0o700 });
    const detached = await mounts.openDetached(view);
    try {
      libc.moveMount(detached.fd, target);
    } finally {
      detached.close();
    }
    makePrivate(libc, target);
    // Programs of an image that is mounted are there to be run.
    libc.mount({ source: '', target, type: '', flags: readOnly | noDevices | remount | bind, data: '' });
    return target;
  } catch (error) {
    throw toEngineError(error, 'cannot mount the image');
  }
}
