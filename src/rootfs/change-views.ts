import type { Mount } from '../containerd/types.ts';
import type { Contained } from './contained.ts';
import { splitLayers } from './overlay-layers.ts';
import { packChanges } from './pack-changes.ts';
import { walkChanges, type ChangeOptions, type ChangeViews } from './read-changes.ts';
import type { PathChange, RootfsAccess, RootHandle } from './types.ts';

/** How the views of a snapshot are opened. */
export interface ViewParts {
  readonly openRoot: RootfsAccess['openMounts'];
  readonly within: (root: RootHandle) => Contained;
}

/** The two ways to see what was changed of a snapshot's image. */
export function createChangeReader(parts: ViewParts): Pick<RootfsAccess, 'readChanges' | 'exportChanges'> {
  return {
    readChanges: (mounts, options) => readChanges(parts, mounts, options),
    async exportChanges(mounts, options) {
      const { views, close } = await openViews(parts, mounts);
      return { tar: packChanges(views, options), close };
    },
  };
}

async function* readChanges(
  parts: ViewParts,
  mounts: readonly Mount[],
  options: ChangeOptions,
): AsyncGenerator<PathChange> {
  const { views, close } = await openViews(parts, mounts);
  try {
    yield* walkChanges(views, options);
  } finally {
    await close();
  }
}

interface OpenViews {
  readonly views: ChangeViews;
  readonly close: () => Promise<void>;
}

async function openViews({ openRoot, within }: ViewParts, mounts: readonly Mount[]): Promise<OpenViews> {
  const layers = splitLayers(mounts);
  const roots: RootHandle[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(roots.map((root) => root.close()));
  };
  const view = async (part: readonly Mount[]): Promise<Contained> => {
    const root = await openRoot(part, { isOwn: true });
    roots.push(root);
    return within(root);
  };
  try {
    const lower = layers.lower && (await view(layers.lower));
    return { views: { upper: await view(layers.upper), lower, merged: await view(layers.merged) }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
