import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { ImageReference } from '../../oci/reference.ts';
import type { Job } from '../job.ts';
import type { BlobAccess } from './blob-access.ts';
import { findContent, readSmallBlob } from './image-work.ts';
import type { Pull } from './pull-types.ts';
import { describeDocument } from './select-manifest.ts';

/** How long a repository's word holds that it gives a manifest to anybody. */
const PUBLIC_MS = 24 * 60 * 60 * 1000;
/** It is written down anew only when it is older than this. */
const REFRESH_MS = 60 * 60 * 1000;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * What a digest of this repository names, where the repository has lately given it to somebody who showed no credentials:
 * then the job would get it too, and need not ask. A tag is always asked for.
 */
export async function findPublicTarget(
  job: Job,
  access: BlobAccess,
  { digest }: ImageReference,
): Promise<ContentDescriptor | undefined> {
  if (digest === undefined || access.publicLabel === undefined) return undefined;
  const info = await findContent(job.store, digest);
  if (!info || !access.isServed(info) || ageOf(info.labels[access.publicLabel]) > PUBLIC_MS) return undefined;
  return describeDocument(digest, await readSmallBlob(job.store, digest, MAX_MANIFEST_BYTES));
}

/** Writes down that the repository has just given the pull's manifest without credentials. */
export async function markPublic(
  { store }: Pick<Job, 'store'>,
  { access, repository, target, isAsked }: Pull,
): Promise<void> {
  if (access.publicLabel === undefined || !isAsked || !repository.isAnonymous()) return;
  const info = await findContent(store, target.digest);
  if (!info || !access.isServed(info)) return;
  if (ageOf(info.labels[access.publicLabel]) < REFRESH_MS) return;
  await store.content.updateLabels(target.digest, { [access.publicLabel]: String(Date.now()) });
}

function ageOf(writtenMs: string | undefined): number {
  const age = Date.now() - Number(writtenMs ?? 'NaN');
  return age >= 0 ? age : Number.POSITIVE_INFINITY;
}
