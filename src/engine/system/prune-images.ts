import { isErrorKind } from '../../errors.ts';
import type { Image } from '../../state/image-store.ts';
import type { ImageDeleteItem } from '../../wire/image-delete.ts';
import type { ImagesPruned } from '../../wire/image-prune.ts';
import { booleanFilter, checkFilterNames, matchesLabels, untilFilter, type Filters } from '../filters.ts';
import { removeImage } from '../images/remove-image.ts';
import type { Job } from '../job.ts';

/** `POST /images/prune`: removes images without a tag, or with `dangling=false` all that no container uses. */
export async function pruneImages(job: Job, filters: Filters): Promise<ImagesPruned> {
  const { onlyDangling, untilNs } = imagePruneFilters(filters, job.nowNs());
  const isOld = ({ config }: Image): boolean =>
    untilNs === undefined || BigInt(Date.parse(config.created) || 0) * 1_000_000n <= untilNs;
  const prunable = job.images
    .list()
    .filter(
      (image) =>
        !isUsed(job, image) &&
        (!onlyDangling || job.images.namesOf(image.id).every(({ kind }) => kind !== 'tag')) &&
        isOld(image) &&
        matchesLabels(filters, image.config.config.labels),
    )
    // What was made from others goes first: they could not go before it.
    .sort((a, b) => depthOf(job, b) - depthOf(job, a));
  const items: ImageDeleteItem[] = [];
  for (const image of prunable) items.push(...(await removeUnlessUsed(job, image)));
  const reclaimed = reclaimedBytes(prunable, items);
  job.events.emit({
    type: 'image',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(reclaimed) },
  });
  return { ImagesDeleted: items.length === 0 ? null : items, SpaceReclaimed: reclaimed };
}

/** Throws for filters that `POST /images/prune` refuses; answers those that are more than labels. */
export function imagePruneFilters(
  filters: Filters,
  nowNs: bigint,
): { readonly onlyDangling: boolean; readonly untilNs: bigint | undefined } {
  checkFilterNames(filters, ['dangling', 'label', 'label!', 'until']);
  return {
    onlyDangling: booleanFilter(filters, 'dangling') ?? true,
    untilNs: untilFilter(filters, nowNs),
  };
}

function depthOf(job: Job, image: Image): number {
  const line = new Set<Image>();
  for (let next: Image | undefined = image; next && !line.has(next); next = job.images.get(next.parentId))
    line.add(next);
  return line.size;
}

function isUsed(job: Job, image: Image): boolean {
  return job.containers.all().some(({ record }) => record.imageId === image.id);
}

/** One that was removed or came into use meanwhile is no failure of ours. */
async function removeUnlessUsed(job: Job, image: Image): Promise<readonly ImageDeleteItem[]> {
  if (isUsed(job, image)) return [];
  try {
    // By force: all of its names go.
    return await removeImage(job, image.id, { force: true });
  } catch (error) {
    if (isErrorKind(error, 'Conflict') || isErrorKind(error, 'NotFound')) return [];
    throw error;
  }
}

/** Only layers that no other image has are gone. */
function reclaimedBytes(images: readonly Image[], items: readonly ImageDeleteItem[]): number {
  const layers = images.flatMap((image) => image.layers);
  const sizes = new Map(layers.map(({ chainId, sizeBytes }) => [chainId, sizeBytes]));
  return items.reduce((sum, item) => sum + ('Deleted' in item ? (sizes.get(item.Deleted) ?? 0) : 0), 0);
}
