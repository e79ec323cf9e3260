import { decodeSpec } from '../../oci/encode-spec.ts';
import type { FileChange } from '../../wire/file-change.ts';
import type { Job } from '../job.ts';

const KINDS = { modified: 0, added: 1, deleted: 2 } as const;

/** `docker diff`: what the container has changed of its image, a directory before what is in it. */
export function changesContainer(
  job: Job,
  containerRef: string,
  signal: AbortSignal,
): AsyncIterable<FileChange> {
  const container = job.containers.resolve(containerRef);
  const { mounts = [] } = decodeSpecOrNothing(container.storedSpec);
  const mountPoints = new Set(mounts.map(({ destination }) => destination));
  return shape(job.rootfs.readChanges(container.rootMounts, { mountPoints, signal }));
}

/** A container whose user its image does not know has only a placeholder for a spec. */
function decodeSpecOrNothing(storedSpec: string): Partial<ReturnType<typeof decodeSpec>> {
  return storedSpec === '' || storedSpec === '{}' ? {} : decodeSpec(storedSpec);
}

async function* shape(
  changes: ReturnType<Job['rootfs']['readChanges']>,
): AsyncGenerator<FileChange, void, undefined> {
  for await (const { path, kind } of changes) yield { Path: path, Kind: KINDS[kind] };
}
