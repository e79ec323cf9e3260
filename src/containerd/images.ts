import type { CallScope, Channel } from './channel.ts';
import { required, toDate, toDescriptor } from './convert.ts';
import type { Image } from './generated/images.ts';
import type { ContainerdImage, Images } from './types-metadata.ts';

/** Images service. */
export function createImages(channel: Channel, scope: CallScope): Images {
  const caller = channel.caller('images', scope);
  return {
    async get(name) {
      return toImage((await caller.unary('Get', { name })).image);
    },
    async list(filters = []) {
      return (await caller.unary('List', { filters })).images.map(toImage);
    },
    async create(image) {
      return toImage((await caller.unary('Create', { image })).image);
    },
    async update(image, fieldPaths) {
      const mask = fieldPaths ? { updateMask: { paths: fieldPaths } } : {};
      return toImage((await caller.unary('Update', { image, ...mask })).image);
    },
    async delete(name, options) {
      await caller.unary('Delete', { name, sync: options?.sync ?? false });
    },
  };
}

function toImage(raw: Image | null): ContainerdImage {
  const image = required(raw, 'an image');
  return {
    name: image.name,
    labels: image.labels,
    target: toDescriptor(image.target),
    createdAt: toDate(image.createdAt),
    updatedAt: toDate(image.updatedAt),
  };
}
