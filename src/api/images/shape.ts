import type { ImageInspect } from '../../wire/image-inspect.ts';
import type { ImageSummary } from '../../wire/image-summary.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';

/** The list as this API version has it. */
export function shapeSummaries(
  images: readonly ImageSummary[],
  version: ApiVersion,
): readonly ImageSummary[] {
  return images.map((image) => ({
    ...withoutDescriptor(image, version),
    ...(isAtLeast(version, '1.43') ? {} : oldNames(image)),
    ...(isAtLeast(version, '1.44') ? {} : { VirtualSize: image.Size }),
  }));
}

/** Before API 1.43 an empty list was null, and an image without any name had one of a kind. */
function oldNames({ RepoTags: tags, RepoDigests: digests }: ImageSummary): object {
  if (tags.length + digests.length === 0)
    return { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
  return {
    RepoTags: tags.length === 0 ? null : tags,
    RepoDigests: digests.length === 0 ? null : digests,
  };
}

// It came with API 1.48.
function withoutDescriptor<T extends { readonly Descriptor?: unknown }>(image: T, version: ApiVersion): T {
  return isAtLeast(version, '1.48') ? image : { ...image, Descriptor: undefined };
}

/** The inspection as this API version has it. */
export function shapeInspect(inspected: ImageInspect, version: ApiVersion): ImageInspect {
  const { Container, ContainerConfig, ...image } = inspected;
  return {
    ...withoutDescriptor(image, version),
    ...(isAtLeast(version, '1.44') ? {} : { VirtualSize: image.Size }),
    ...(isAtLeast(version, '1.45') ? {} : { Container, ContainerConfig }),
  };
}
