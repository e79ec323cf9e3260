import { cleanPath } from '../../policy/mount-point.ts';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import type { ContainerMount } from '../../state/container.ts';
import type { HostConfig, MountRequest } from '../../wire/host-config.ts';
import { resolveImage } from '../images/resolve-image.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import type { StagePlaces } from './stage-places.ts';

/** A container that is being made; `undo` takes its snapshots away again. */
export interface ImageMounting {
  readonly containerId: string;
  readonly hostConfig: HostConfig;
  readonly places: StagePlaces;
  readonly undo: CleanupStack;
}

/** Mounts the images that a request names, read-only; NotFound for one that the job does not have. */
export async function stageImages(job: Job, mounting: ImageMounting): Promise<readonly ContainerMount[]> {
  const staged: ContainerMount[] = [];
  const asked = (mounting.hostConfig.Mounts ?? []).filter(({ Type: type }) => type === 'image');
  for (const mount of asked) staged.push(await stageImage(job, mounting, { mount, number: staged.length }));
  return staged;
}

/** Removes the snapshots that images of a container were mounted from; they are not mounted any more. Idempotent. */
export async function removeImageSnapshots(
  job: Job,
  containerId: string,
  hostConfig: HostConfig,
): Promise<void> {
  const count = (hostConfig.Mounts ?? []).filter(({ Type: type }) => type === 'image').length;
  const snapshots = job.store.snapshots;
  for (let number = 0; number < count; number += 1)
    await ignoreAbsent(snapshots.remove(snapshotKey(containerId, number)));
}

async function stageImage(
  job: Job,
  { containerId, places, undo }: ImageMounting,
  { mount, number }: { readonly mount: MountRequest; readonly number: number },
): Promise<ContainerMount> {
  const { Source: name = '', Target: target = '', ImageOptions: options } = mount;
  const image = resolveImage(job, name);
  const snapshots = job.store.withLease(job.leaseId).snapshots;
  const key = snapshotKey(containerId, number);
  undo.defer('snapshot of an image', () => ignoreAbsent(snapshots.remove(key)));
  const view = await snapshots.view({ key, parent: image.chainId, labels: {} });
  const whole = await job.binds.stageImage(view, places.take());
  return {
    type: 'image',
    name,
    shownSource: image.id,
    hostPath: await stagePart(job, { whole, subpath: options?.Subpath ?? '', places }),
    destination: cleanPath(target),
    isReadWrite: false,
    mode: '',
    propagation: 'rprivate',
    isAnonymous: false,
  };
}

async function stagePart(
  job: Job,
  part: { readonly whole: string; readonly subpath: string; readonly places: StagePlaces },
): Promise<string> {
  if (part.subpath === '') return part.whole;
  const pinned = await job.binds.pinWithin(part.whole, part.subpath);
  try {
    return await job.binds.stage(pinned, { ...part.places.take(), isRecursive: false });
  } finally {
    pinned.close();
  }
}

function snapshotKey(containerId: string, number: number): string {
  return `${containerId}-image-${number}`;
}
