import type { Readable } from 'node:stream';
import type { Job } from '../job.ts';
import type { ContextSource } from './build-run.ts';

/** A context that comes as a tar, compressed or not: unpacked as it comes, contained, with its owners and modes. */
export function tarContext(job: Pick<Job, 'rootfs'>, tar: Readable): ContextSource {
  return {
    fill: (target, signal) =>
      job.rootfs.writeArchive(target, tar, { noOverwriteDirNonDir: false, copyUidGid: true, signal }),
  };
}
