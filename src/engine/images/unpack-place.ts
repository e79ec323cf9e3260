import { setTimeout as sleep } from 'node:timers/promises';
import type { JobStore } from '../../containerd/job-store.ts';
import type { Mount, Snapshots } from '../../containerd/types.ts';
import { EngineError, isErrorKind } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { shortId } from '../../oci/digest.ts';
import type { ImageWork } from './image-work.ts';
import type { BelowLayer } from './unpack-layers.ts';

/** An active snapshot to unpack a layer into. */
export interface UnpackPlace {
  readonly key: string;
  readonly mounts: readonly Mount[];
}

const MIN_LOOK_MS = 25;
const MAX_LOOK_MS = 500;
/** How long another job may unpack without a byte more on the disk: one that was killed leaves its snapshot behind. */
const PATIENCE_MS = 10_000;
// containerd makes no snapshot with this label where one of the label's value is already.
const REF_LABEL = 'containerd.io/snapshot.ref';

interface PlaceOptions {
  /** Name of a committed snapshot that makes a place needless; the look and the making are one step. */
  readonly unless?: string;
  readonly patienceMs?: number;
}

/**
 * Makes the place to unpack a layer in. Of all jobs of the host one unpacks at a time: where it is another, this waits for
 * as long as that gets on, and the answer is undefined when it is done or has given up.
 */
export async function openPlace(
  work: ImageWork,
  layer: BelowLayer,
  { unless, patienceMs = PATIENCE_MS }: PlaceOptions = {},
): Promise<UnpackPlace | undefined> {
  const key = `unpack-${layer.chainId}-${shortId(layer.blob.digest)}`;
  try {
    const labels = unless === undefined ? {} : { [REF_LABEL]: unless };
    return await prepare(work, { key, parent: layer.below, labels });
  } catch (error) {
    if (!isErrorKind(error, 'Conflict')) throw error;
  }
  if (await isLeft(work, key, patienceMs)) return undefined;
  return prepare(work, { key: `unpack-${createRandomId()}`, parent: layer.below });
}

async function prepare(work: ImageWork, snapshot: Parameters<Snapshots['prepare']>[0]): Promise<UnpackPlace> {
  return { key: snapshot.key, mounts: await work.store.snapshots.prepare(snapshot) };
}

/** True once nobody has the snapshot any more; false when whoever has it does not get on. */
async function isLeft(work: ImageWork, key: string, patienceMs: number): Promise<boolean> {
  let lastSize = -1;
  let waitedMs = 0;
  for (let lookMs = MIN_LOOK_MS; waitedMs < patienceMs; lookMs = Math.min(lookMs * 2, MAX_LOOK_MS)) {
    await pause(work, lookMs);
    if (!(await hasSnapshot(work.store, key))) return true;
    const size = await sizeOf(work, key);
    waitedMs = size === lastSize ? waitedMs + lookMs : 0;
    lastSize = size;
  }
  return false;
}

async function pause({ signal }: ImageWork, milliseconds: number): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (cause) {
    throw new EngineError('Cancelled', 'context canceled', { cause });
  }
}

async function sizeOf({ store }: ImageWork, key: string): Promise<number> {
  try {
    return (await store.snapshots.usage(key)).sizeBytes;
  } catch (error) {
    // Files come and go under the count, and the snapshot as well.
    if (isErrorKind(error, 'Cancelled')) throw error;
    return -1;
  }
}

/** True when there is a snapshot of that name; what a lease keeps is not changed. */
export async function hasSnapshot({ snapshots }: Pick<JobStore, 'snapshots'>, key: string): Promise<boolean> {
  try {
    await snapshots.stat(key);
    return true;
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return false;
    throw error;
  }
}
