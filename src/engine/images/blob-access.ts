import { createHash } from 'node:crypto';
import type { ContentInfo, Labels } from '../../containerd/types.ts';
import type { ImageReference } from '../../oci/reference.ts';
import type { Job } from '../job.ts';

/**
 * Which blobs of the store a pull may take without being given their bytes. The store is all jobs', and a digest is no
 * secret: so it says of every blob which repositories have really served it.
 */
export interface BlobAccess {
  /** Labels of a blob whose bytes the repository has served; none where nobody can tell who the registry is. */
  readonly servedLabels: Labels;
  /** Label of a manifest that the repository gives to anybody, with the time (ms) when it last did. */
  readonly publicLabel: string | undefined;
  /** Label of a manifest of which the repository has served every part, and every layer is unpacked. */
  readonly wholeLabel: string | undefined;
  /** Tells this repository's writes from others': what one has begun, another must not complete. */
  readonly writeRef: (digest: string) => string;
  /** True where this repository has served the bytes before. */
  isServed(blob: ContentInfo): boolean;
  /** True where it has, or the job has them from elsewhere. */
  allows(blob: ContentInfo): boolean;
  /** True while nothing was allowed for the reason alone that the job has it. */
  isAllServed(): boolean;
}

const SERVED_PREFIX = 'berth/served.';
const PUBLIC_PREFIX = 'berth/public.';
const WHOLE_PREFIX = 'berth/whole.';

/** The access that a repository's word gives; ask for it once per pull. */
export function createBlobAccess(
  job: Job,
  { domain, path }: Pick<ImageReference, 'domain' | 'path'>,
): BlobAccess {
  const own = ownDigests(job);
  const key = createHash('sha256').update(`${domain}/${path}`).digest('hex').slice(0, 32);
  const isShared = job.registry.isIdentified(domain);
  const served = `${SERVED_PREFIX}${key}`;
  const isServed = ({ labels }: ContentInfo): boolean => isShared && labels[served] !== undefined;
  let isAllServed = true;
  const origin = isShared ? key : `${job.namespace}-${key}`;
  return {
    servedLabels: isShared ? { [served]: '1' } : {},
    publicLabel: isShared ? `${PUBLIC_PREFIX}${key}` : undefined,
    wholeLabel: isShared ? `${WHOLE_PREFIX}${key}` : undefined,
    writeRef: (digest) => `pull-${origin}-${digest}`,
    isServed,
    allows: (blob) => {
      if (isServed(blob)) return true;
      const isOwn = own.has(blob.digest);
      if (isOwn) isAllServed = false;
      return isOwn;
    },
    isAllServed: () => isAllServed,
  };
}

/** Everything that images of the job consist of: it has shown these bytes, or was given them. */
function ownDigests(job: Job): ReadonlySet<string> {
  const images = job.images.list();
  return new Set([
    ...images.flatMap(({ id, manifest, layers }) => [
      id,
      manifest.digest,
      ...layers.map(({ blob }) => blob.digest),
    ]),
    ...images.flatMap(({ id }) => job.images.namesOf(id).map(({ target }) => target.digest)),
  ]);
}
