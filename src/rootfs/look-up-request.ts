import type { ContainerView } from './open-view.ts';
import type { BindLookup } from './types-binds.ts';
import type { PathStat, WriteArchiveOptions } from './types.ts';

/** A directory tree by its descriptor in the process that asks. */
export interface HeldRoot {
  readonly fd: number;
  readonly name?: string;
}

/** Where bind sources are looked for, by what the process that asks holds. */
export interface HeldWorld {
  readonly workspaces: readonly { readonly paths: readonly string[]; readonly fd: number }[];
  readonly ownDirectories: readonly string[];
  readonly socketPath: string;
}

/** What a look-up process is asked for; `data` frames follow `writeArchive`, an `end` frame follows each. */
export type LookUpRequest =
  | { readonly verb: 'stat'; readonly root: HeldRoot; readonly path: string }
  | { readonly verb: 'readFile'; readonly root: HeldRoot; readonly path: string; readonly maxBytes: number }
  | { readonly verb: 'readArchive'; readonly root: HeldRoot; readonly path: string }
  | {
      readonly verb: 'writeArchive';
      readonly root: HeldRoot;
      readonly path: string;
      readonly options: Omit<WriteArchiveOptions, 'signal'>;
    }
  | { readonly verb: 'view'; readonly view: ContainerView; readonly directory: string }
  | { readonly verb: 'pin'; readonly world: HeldWorld; readonly lookup: BindLookup }
  | { readonly verb: 'pinWithin'; readonly directory: string; readonly subpath: string };

/** Something that a look-up process holds until it is told to end: its descriptors are to be copied. */
export interface HeldSource {
  readonly fd: number;
  readonly namespaceFd?: number;
  readonly kind: 'directory' | 'file' | 'socket';
}

/** What comes before the data of an answer. */
export interface LookUpAnswers {
  readonly stat: PathStat;
  /** Data follows where there is one. */
  readonly readFile: { readonly exists: boolean };
  /** The tar follows as data. */
  readonly readArchive: PathStat;
  readonly writeArchive: null;
  readonly view: HeldSource;
  readonly pin: HeldSource;
  readonly pinWithin: HeldSource;
}
