import { stat, writeFile } from 'node:fs/promises';
import { posix } from 'node:path';

import type { Mount } from '../containerd/types.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import type { DetachedMount, HostMounts, InnerMount, Libc } from '../host/types.ts';
import { createContained, resolveLinks, type Contained } from './contained.ts';
import { ensureDirectory } from './make-directory.ts';
import { splitLayers } from './overlay-layers.ts';

const directoryMode = 0o755;

/** A stopped container's root filesystem, and what is mounted in it when it runs, parents first. */
export interface ContainerView {
  readonly mounts: readonly Mount[];
  readonly inner: readonly InnerMount[];
  /** Nothing will be written to it. */
  readonly isRead: boolean;
}

interface ViewParts {
  readonly libc: Libc;
  readonly mounts: HostMounts;
}

/** Mounts it all where nobody else sees it; missing targets are made, as dockerd does. The caller closes. */
export async function openView(parts: ViewParts, view: ContainerView): Promise<DetachedMount> {
  if (!view.isRead) return mountView(parts, view);
  // With its last descriptor a file system that can be written to waits for all that waits for the disk, whoever wrote it.
  const readOnly = { ...view, mounts: splitLayers(view.mounts).merged };
  return (await mountUnlessReadOnly(parts, readOnly)) ?? mountView(parts, view);
}

/** undefined where a target would have to be made. */
async function mountUnlessReadOnly(
  parts: ViewParts,
  view: ContainerView,
): Promise<DetachedMount | undefined> {
  try {
    return await mountView(parts, view);
  } catch (error) {
    if (isErrno(error instanceof Error ? error.cause : undefined, 'EROFS')) return undefined;
    throw error;
  }
}

async function mountView({ libc, mounts }: ViewParts, view: ContainerView): Promise<DetachedMount> {
  let root = await mounts.openDetached(view.mounts);
  // One by one: what is mounted may hold the next one's target.
  for (const inner of view.inner) {
    const below = root;
    try {
      await makeTarget(createContained(libc, { fd: below.fd, isOwn: false }), inner);
      root = await mounts.composeDetached(below, inner);
    } catch (error) {
      throw toEngineError(error, `cannot mount at ${inner.target}`);
    } finally {
      below.close();
    }
  }
  return root;
}

async function makeTarget(contained: Contained, { source, target }: InnerMount): Promise<void> {
  const path = await resolveLinks(contained, target);
  if ((await stat(source)).isDirectory()) {
    (await ensureDirectory(contained, path, directoryMode)).close();
    return;
  }
  const parent = await ensureDirectory(contained, posix.dirname(path), directoryMode);
  try {
    await writeFile(`${parent.path}/${posix.basename(path)}`, '', { flag: 'wx' });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    parent.close();
  }
}
