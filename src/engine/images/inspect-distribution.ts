import { EngineError } from '../../errors.ts';
import { MAX_IMAGE_CONFIG_BYTES, parseImageConfig } from '../../oci/image-config.ts';
import { parseImageIndex, parseImageManifest } from '../../oci/image-manifest.ts';
import { isIndexType, isSchema1Type } from '../../oci/media-types.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarName, withDefaultTag, type ImageReference } from '../../oci/reference.ts';
import type { FetchedManifest, RegistryCredentials, Repository } from '../../registry/types.ts';
import type { DistributionInspect } from '../../wire/distribution-inspect.ts';
import type { Job } from '../job.ts';

/** What a client wants to know of a registry's image. */
export interface DistributionRequest {
  readonly reference: ImageReference;
  readonly credentials?: RegistryCredentials;
  readonly signal: AbortSignal;
}

/** What a registry has under a name, without pulling it: its digest, and for which platforms. */
export async function inspectDistribution(
  job: Pick<Job, 'registry' | 'signal'>,
  request: DistributionRequest,
): Promise<DistributionInspect> {
  const reference = withDefaultTag(request.reference);
  const repository = job.registry.open({
    reference,
    familiarName: familiarName(reference),
    ...(request.credentials ? { credentials: request.credentials } : {}),
    signal: AbortSignal.any([request.signal, job.signal]),
  });
  const fetched = await repository.fetchManifest(reference.digest ?? reference.tag ?? 'latest');
  const { mediaType, digest, size } = fetched;
  if (isSchema1Type(mediaType))
    throw new EngineError(
      'InvalidArgument',
      `Docker Image manifest version 2, schema 1 is not supported: ${familiarName(reference)}`,
    );
  const platforms = await platformsOf(repository, fetched);
  return { Descriptor: { mediaType, digest, size }, Platforms: platforms.map(shape) };
}

async function platformsOf(
  repository: Repository,
  { bytes, mediaType }: FetchedManifest,
): Promise<readonly Platform[]> {
  if (isIndexType(mediaType))
    return parseImageIndex(bytes, mediaType).flatMap(({ platform }) => platform ?? []);
  const { config } = parseImageManifest(bytes, mediaType);
  if (config.size > MAX_IMAGE_CONFIG_BYTES)
    throw new EngineError('InvalidArgument', 'invalid image config: too large');
  const chunks: Uint8Array[] = [];
  for await (const chunk of repository.fetchBlob(config)) chunks.push(chunk);
  return [parseImageConfig(Buffer.concat(chunks)).platform];
}

function shape({ architecture, os, variant }: Platform): DistributionInspect['Platforms'][number] {
  return { architecture, os, ...(variant === '' ? {} : { variant }) };
}
