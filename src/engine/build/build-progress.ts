import type { StreamName } from '../../stdio/types.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';

/** An instruction of the build, numbered from 1 among those that are carried out. */
export interface BuildStep {
  readonly number: number;
  readonly total: number;
  /** Index of its stage in the Dockerfile. */
  readonly stage: number;
  /** The instruction as it is shown. */
  readonly source: string;
}

/** What happens in a build. Within a stage the order is that of its steps; all of it belongs to the step before it. */
export type BuildProgress =
  | { readonly kind: 'step'; readonly step: BuildStep }
  | { readonly kind: 'cached' }
  | { readonly kind: 'running'; readonly containerId: string }
  | { readonly kind: 'removed'; readonly containerId: string }
  | { readonly kind: 'output'; readonly stream: StreamName; readonly data: Uint8Array }
  | { readonly kind: 'pull'; readonly progress: ImageProgress }
  /** A line for the user. */
  | { readonly kind: 'note'; readonly text: string; readonly isWarning: boolean }
  /** The step is done; the id of what there is now. */
  | { readonly kind: 'done'; readonly imageId: string }
  /** A stage is done. */
  | { readonly kind: 'stage'; readonly imageId: string }
  /** The last two: the image is there, and has this name. */
  | { readonly kind: 'built'; readonly imageId: string }
  | { readonly kind: 'tagged'; readonly name: string };
