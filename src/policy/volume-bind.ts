import { cleanPath } from './mount-point.ts';

/** A directory of the job that a volume stands for. */
export interface VolumeBind {
  /** Absolute and clean, as the job sees it; never its root. */
  readonly source: string;
  readonly isReadOnly: boolean;
  /** With what is mounted below the source. */
  readonly isRecursive: boolean;
}

const TYPES: ReadonlySet<string> = new Set(['none', 'bind']);
/** What `o` may say, and what that means. */
const WORDS: ReadonlyMap<string, Omit<VolumeBind, 'source'>> = new Map(
  ['bind', 'rbind'].flatMap((binding) => {
    const isRecursive = binding === 'rbind';
    return [
      [binding, { isReadOnly: false, isRecursive }],
      ...['ro', 'rw'].flatMap((writing) => {
        const meant = { isReadOnly: writing === 'ro', isRecursive };
        return [[`${binding},${writing}`, meant] as const, [`${writing},${binding}`, meant] as const];
      }),
    ] as const;
  }),
);

/**
 * The bind mount that a volume's driver options ask for, `type=none`, `o=bind` and a path as `device`; undefined where they
 * ask for anything else. The gate lets nothing else through, and what is mounted is mounted as a bind of that path is.
 */
export function volumeBindOf(driverOpts: Readonly<Record<string, string>> | null): VolumeBind | undefined {
  const options = new Map(Object.entries(driverOpts ?? {}));
  const device = options.get('device') ?? '';
  const meant = WORDS.get(options.get('o') ?? '');
  if (options.size !== 3 || !TYPES.has(options.get('type') ?? '') || !meant) return undefined;
  const source = cleanPath(device);
  if (!device.startsWith('/') || device.includes('\0') || source === '/') return undefined;
  return { source, ...meant };
}
