import type { Mount } from '../containerd/types.ts';

/** A container's root filesystem taken apart; all of it to be looked at only. */
export interface OverlayLayers {
  /** What the container wrote, as the kernel keeps it: with whiteouts. */
  readonly upper: readonly Mount[];
  /** What it began with; undefined for an image without layers. */
  readonly lower: readonly Mount[] | undefined;
  /** Both together as the container sees them, without what is mounted in it. */
  readonly merged: readonly Mount[];
}

/**
 * Takes containerd's mounts of a snapshot apart. The merged view has the upper directory as its topmost lower one, so
 * that it can be mounted beside the container's own: that one stays the only writer.
 */
export function splitLayers(mounts: readonly Mount[]): OverlayLayers {
  const [mount] = mounts;
  const upperDir = mount && optionOf(mount, 'upperdir');
  if (mount?.type !== 'overlay' || upperDir === undefined) {
    const readOnly = mounts.map((one) => ({ ...one, options: ['bind', 'ro'] }));
    return { upper: readOnly, lower: undefined, merged: readOnly };
  }
  const lowerDirs = (optionOf(mount, 'lowerdir') ?? '').split(':');
  const rest = mount.options.filter((option) => !/^(?:upperdir|lowerdir|workdir)=/.test(option));
  const stack = (directories: readonly string[]): readonly Mount[] => {
    const [only] = directories;
    if (directories.length === 1 && only !== undefined) return [bindOf(only)];
    return [{ ...mount, options: [...rest, 'ro', `lowerdir=${directories.join(':')}`] }];
  };
  return { upper: [bindOf(upperDir)], lower: stack(lowerDirs), merged: stack([upperDir, ...lowerDirs]) };
}

function bindOf(source: string): Mount {
  return { type: 'bind', source, target: '', options: ['bind', 'ro'] };
}

function optionOf({ options }: Mount, name: string): string | undefined {
  return options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}
