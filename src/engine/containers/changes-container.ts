import type { FileChange } from '../../wire/file-change.ts';
import type { Job } from '../job.ts';
import { mountPointsOf } from './mount-points.ts';

const KINDS = { modified: 0, added: 1, deleted: 2 } as const;

/** `docker diff`: what the container has changed of its image, a directory before what is in it. */
export function changesContainer(
  job: Job,
  containerRef: string,
  signal: AbortSignal,
): AsyncIterable<FileChange> {
  const container = job.containers.resolve(containerRef);
  const options = { mountPoints: mountPointsOf(container), signal };
  return shape(job.rootfs.readChanges(container.rootMounts, options));
}

async function* shape(
  changes: ReturnType<Job['rootfs']['readChanges']>,
): AsyncGenerator<FileChange, void, undefined> {
  for await (const { path, kind } of changes) yield { Path: path, Kind: KINDS[kind] };
}
