import { createHash } from 'node:crypto';
import { encodeImageConfig } from '../../oci/encode-image-config.ts';
import { NO_RUN_CONFIG, type ImageConfig, type ImageRunConfig } from '../../oci/image-config.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Image, ImageLayer } from '../../state/image-store.ts';
import { BERTH_VERSION } from '../../version.ts';
import { digestOf } from '../images/chain-ids.ts';
import type { BuiltImage } from './build-run.ts';

/** What a step adds to what was there. */
export interface StepResult {
  readonly config: ImageRunConfig;
  readonly author: string;
  /** As history shows the step. */
  readonly description: string;
  readonly createdAt: string;
  readonly layer: ImageLayer | undefined;
  readonly cacheKey: string;
}

/** Nothing at all: what `FROM scratch` begins with. */
export function emptyImage(platform: Platform): BuiltImage {
  return {
    id: '',
    config: {
      platform,
      osVersion: '',
      created: '',
      author: '',
      comment: '',
      dockerVersion: '',
      config: NO_RUN_CONFIG,
      origin: undefined,
      diffIds: [],
      history: [],
    },
    layers: [],
    cacheKey: cacheKeyOf('', ['scratch']),
  };
}

/** What a stage begins with that begins with an image. */
export function fromImage(image: Image): BuiltImage {
  const { id, config, layers } = image;
  return { id, config, layers, cacheKey: cacheKeyOf('', ['image', id]) };
}

/** The image with one more step. */
export function withStep(image: BuiltImage, step: StepResult): BuiltImage {
  const layers = step.layer ? [...image.layers, step.layer] : image.layers;
  const config: ImageConfig = {
    ...image.config,
    created: step.createdAt,
    author: step.author,
    comment: '',
    dockerVersion: BERTH_VERSION,
    config: step.config,
    origin: undefined,
    diffIds: layers.map(({ diffId }) => diffId),
    history: [
      ...image.config.history,
      {
        created: step.createdAt,
        createdBy: step.description,
        author: step.author,
        comment: '',
        emptyLayer: step.layer === undefined,
      },
    ],
  };
  return { id: digestOf(encodeImageConfig(config)), config, layers, cacheKey: step.cacheKey };
}

/** Name of the snapshot of all its layers; empty where it has none. */
export function chainIdOf({ layers }: Pick<BuiltImage, 'layers'>): string {
  return layers.at(-1)?.chainId ?? '';
}

/** Key of a step: of its parent and of everything else that its result depends on. */
export function cacheKeyOf(parentKey: string, parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([parentKey, ...parts]))
    .digest('hex');
}
