import type { ImageHistoryItem } from '../../wire/image-history.ts';
import type { Job } from '../job.ts';
import { repoNamesOf } from './image-names.ts';
import { resolveImage } from './resolve-image.ts';

/** `docker history`: the steps that made the image, newest first, with what each added. */
export function historyImage(job: Job, imageRef: string): readonly ImageHistoryItem[] {
  const image = resolveImage(job, imageRef);
  const { repoTags } = repoNamesOf(job, image);
  const sizes = image.layers.map(({ sizeBytes }) => sizeBytes);
  const steps = image.config.history.map((step) => ({
    Id: '<missing>',
    Created: Math.floor((Date.parse(step.created) || 0) / 1000),
    CreatedBy: step.createdBy,
    Tags: null,
    Size: step.emptyLayer ? 0 : (sizes.shift() ?? 0),
    Comment: step.comment,
  }));
  const [newest, ...older] = steps.toReversed();
  return newest ? [{ ...newest, Id: image.id, Tags: repoTags.length > 0 ? repoTags : null }, ...older] : [];
}
