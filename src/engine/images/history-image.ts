import type { Image } from '../../state/image-store.ts';
import type { ImageHistoryItem } from '../../wire/image-history.ts';
import type { Job } from '../job.ts';
import { repoNamesOf } from './image-names.ts';
import { resolveForPlatform } from './held-index.ts';

/** `docker history`: the steps that made the image, newest first, with what each added. */
export async function historyImage(
  job: Job,
  imageRef: string,
  platform = '',
): Promise<readonly ImageHistoryItem[]> {
  const image = await resolveForPlatform(job, imageRef, platform);
  const sizes = image.layers.map(({ sizeBytes }) => sizeBytes);
  const steps = image.config.history.map((step) => ({
    Id: '<missing>',
    Created: Math.floor((Date.parse(step.created) || 0) / 1000),
    CreatedBy: step.createdBy,
    Tags: null,
    Size: step.emptyLayer ? 0 : (sizes.shift() ?? 0),
    Comment: step.comment,
  }));
  const line = lineOf(job, image);
  return steps.toReversed().map((step, index) => {
    const made = line[index];
    return made ? { ...step, Id: made.id, Tags: tagsOf(job, made) } : step;
  });
}

/** The image, and those that it was made from here one after the other. */
function lineOf(job: Job, image: Image): readonly Image[] {
  const line: Image[] = [];
  for (
    let next: Image | undefined = image;
    next && !line.includes(next);
    next = job.images.get(next.parentId)
  )
    line.push(next);
  return line;
}

function tagsOf(job: Job, image: Image): readonly string[] | null {
  const { repoTags } = repoNamesOf(job, image);
  return repoTags.length > 0 ? repoTags : null;
}
