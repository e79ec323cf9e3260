import type { JobStore } from '../../containerd/job-store.ts';
import type { ContentInfo, Descriptor } from '../../containerd/types.ts';
import { EngineError, isErrorKind, messageOf } from '../../errors.ts';
import { createCleanupStack } from '../../lib/cleanup-stack.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { Image } from '../../state/image-store.ts';
import type { ImageProgress } from '../../wire/image-progress.ts';
import type { Job } from '../job.ts';

/** What the steps of one pull or load share. */
export interface ImageWork {
  readonly job: Job;
  /** Under a lease of this work: nothing it makes or finds is collected before names refer to it. */
  readonly store: JobStore;
  readonly leaseId: string;
  /** Names of the layers that it has unpacked so far, and that no image of the job has perhaps yet. */
  readonly unpacked: Set<string>;
  readonly report: (progress: ImageProgress) => void;
  readonly signal: AbortSignal;
}

/** What the lease of a piece of work is called, before a random part. */
export const WORK_LEASE_PREFIX = 'berth-image-';

const LEASE_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** Does the work under a lease of its own; afterwards only what a name of the job leads to stays. */
export async function withImageWork<T>(
  parts: Pick<ImageWork, 'job' | 'report' | 'signal'>,
  perform: (work: ImageWork) => Promise<T>,
): Promise<T> {
  const { job } = parts;
  const leaseId = WORK_LEASE_PREFIX + createRandomId();
  const undo = createCleanupStack((name, error) => {
    job.log.warn({ step: name, err: messageOf(error) }, 'image clean-up failed');
  });
  await job.store.leases.create({ id: leaseId, expiresAt: new Date(Date.now() + LEASE_LIFETIME_MS) });
  undo.defer('delete lease', () => job.store.leases.delete(leaseId));
  try {
    const signal = AbortSignal.any([parts.signal, job.signal]);
    const store = job.store.withLease(leaseId);
    return await countingUnpacked(job, (unpacked) => perform({ ...parts, signal, leaseId, unpacked, store }));
  } finally {
    await undo.dispose();
  }
}

/** Has the room that the work takes counted as the job's until it is over: its images then count by themselves. */
export async function countingUnpacked<T>(
  { images }: Pick<Job, 'images'>,
  perform: (unpacked: Set<string>) => Promise<T>,
): Promise<T> {
  const unpacked = new Set<string>();
  try {
    return await perform(unpacked);
  } finally {
    for (const chainId of unpacked) images.unpacking.delete(chainId);
  }
}

/** Throws Cancelled once the client has left or the job ends. */
export function checkActive(work: Pick<ImageWork, 'signal'>): void {
  if (work.signal.aborted) throw new EngineError('Cancelled', 'context canceled');
}

/** The record of a blob of the store, kept by the lease of the work from now on; undefined when it is not there. */
export async function claimContent(work: ImageWork, digest: string): Promise<ContentInfo | undefined> {
  if (!(await findContent(work.store, digest))) return undefined;
  // Once more under the lease: between a look and a claim it could have been collected.
  await work.store.leases.addResource(work.leaseId, { id: digest, type: 'content' });
  return findContent(work.store, digest);
}

/** The record of a blob of the store; undefined when it is not there. */
export async function findContent(
  store: Pick<JobStore, 'content'>,
  digest: string,
): Promise<ContentInfo | undefined> {
  try {
    return await store.content.info(digest);
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Writes a small blob whose bytes are at hand, with the labels that say what it keeps from collection. */
export async function writeSmallBlob(
  work: ImageWork,
  blob: ContentDescriptor,
  content: { readonly bytes: Uint8Array; readonly labels: Readonly<Record<string, string>> },
): Promise<void> {
  const known = await claimContent(work, blob.digest);
  if (known) {
    const isLabelled = Object.entries(content.labels).every(([key, value]) => known.labels[key] === value);
    if (!isLabelled) await work.store.content.updateLabels(blob.digest, content.labels);
    return;
  }
  await work.store.content.write(
    { ref: `blob-${blob.digest}`, size: blob.size, digest: blob.digest, labels: content.labels },
    (offset) => oneChunk(content.bytes.subarray(offset)),
    work.signal,
  );
}

/** Writes a blob of unknown size and digest; nothing of it stays where its source fails. */
export async function writeUnknownBlob(
  work: ImageWork,
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly digest: string; readonly size: number }> {
  const { content } = work.store;
  const ref = `blob-${createRandomId()}`;
  try {
    const { digest, size } = await content.write({ ref, size: 0, digest: '' }, source, work.signal);
    return { digest, size };
  } catch (error) {
    // Nobody will take this write up again: its ref is nowhere else.
    await content.abort(ref).catch((cause: unknown) => {
      work.job.log.debug({ err: messageOf(cause) }, 'no write left to abort');
    });
    throw error;
  }
}

/** Keeps a known image's content and snapshots until the work is done, whatever names it loses; NotFound when it is gone. */
export async function keepImage(work: ImageWork, image: Image): Promise<void> {
  const { digest } = image.manifest;
  await work.store.leases.addResource(work.leaseId, { id: digest, type: 'content' });
  if (!(await findContent(work.store, digest)))
    throw new EngineError('NotFound', `No such image: ${image.id}`);
}

/** All bytes of a blob in the content store; InvalidArgument when they are more than `maxBytes`. */
export async function readSmallBlob(
  store: Pick<JobStore, 'content'>,
  digest: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let leftBytes = maxBytes;
  for await (const chunk of store.content.read(digest)) {
    leftBytes -= chunk.byteLength;
    if (leftBytes < 0)
      throw new EngineError('InvalidArgument', `blob ${digest} is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The descriptor as containerd takes it. */
export function toDescriptor({ mediaType, digest, size }: ContentDescriptor): Descriptor {
  return { mediaType, digest, size, annotations: {} };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
