import type { ImageInspect } from '../../wire/image-inspect.ts';
import type { ImageSummary } from '../../wire/image-summary.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';

/** The list as this API version has it. */
export function shapeSummaries(
  images: readonly ImageSummary[],
  version: ApiVersion,
): readonly ImageSummary[] {
  return images.map((image) => ({
    ...image,
    ...(isAtLeast(version, '1.43') || image.RepoTags.length + image.RepoDigests.length > 0
      ? {}
      : { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }),
    ...(isAtLeast(version, '1.44') ? {} : { VirtualSize: image.Size }),
  }));
}

/** The inspection as this API version has it. */
export function shapeInspect(inspected: ImageInspect, version: ApiVersion): ImageInspect {
  const { Container, ContainerConfig, ...image } = inspected;
  return {
    ...image,
    ...(isAtLeast(version, '1.44') ? {} : { VirtualSize: image.Size }),
    ...(isAtLeast(version, '1.45') ? {} : { Container, ContainerConfig }),
  };
}
