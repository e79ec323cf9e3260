import type { Containerd, Mount, Snapshots } from '../containerd/types.ts';
import { ignoreAbsent } from '../engine/ignore-absent.ts';
import { EngineError } from '../errors.ts';
import { createRandomId } from '../lib/random-id.ts';

const TYPE = 'io.containerd.snapshotter.v1';
/** Comes with containerd, and is known to mount overlays: nobody waits for a trial. */
const KNOWN = 'overlayfs';

/**
 * Unavailable where containerd has no such snapshotter, or has one that mounts no overlays: what a container changed is
 * read from the upper directory of one, and what every container begins with lies at its bottom. The snapshots of a trial
 * are under the lease of `snapshots`, and gone at the end.
 */
export async function requireSnapshotter(
  { introspection }: Pick<Containerd, 'introspection'>,
  snapshots: Snapshots,
): Promise<void> {
  const { snapshotter } = snapshots;
  const plugins = await introspection.plugins([`type==${TYPE}`]);
  const here = plugins.filter(({ initError }) => initError === '').map(({ id }) => id);
  if (!here.includes(snapshotter)) {
    const others = here.sort().join(', ');
    throw unusable(`containerd has no snapshotter ${snapshotter}, only ${others}`);
  }
  if (snapshotter === KNOWN) return;
  const mounts = await mountsOfTrial(snapshots);
  if (mounts.some(({ type }) => type === 'overlay')) return;
  throw unusable(`containerd's snapshotter ${snapshotter} mounts no overlays, which berth needs`);
}

/** How a snapshot on another one is mounted. */
async function mountsOfTrial(snapshots: Snapshots): Promise<readonly Mount[]> {
  const id = `trial-${createRandomId()}`;
  const [lower, parent, upper] = [`${id}-lower`, `${id}-parent`, `${id}-upper`];
  try {
    await snapshots.prepare({ key: lower, parent: '' });
    await snapshots.commit({ name: parent, key: lower });
    return await snapshots.prepare({ key: upper, parent });
  } finally {
    for (const key of [upper, parent, lower]) await ignoreAbsent(snapshots.remove(key));
  }
}

function unusable(what: string): EngineError {
  return new EngineError('Unavailable', `${what}: [containerd] snapshotter`);
}
