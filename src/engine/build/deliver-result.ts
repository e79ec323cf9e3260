import { messageOf } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { BuildRun, BuiltImage, DeliverFiles } from './build-run.ts';
import { chainIdOf } from './built-image.ts';

/** Hands out the files that a build has come to; nothing of the result stays but what the cache has. */
export async function deliverResult(run: BuildRun, built: BuiltImage, deliver: DeliverFiles): Promise<void> {
  const snapshots = run.work.store.snapshots;
  const key = `build-${createRandomId()}`;
  const mounts = await snapshots.prepare({ key, parent: chainIdOf(built) });
  try {
    await deliver(mounts, run.signal);
  } finally {
    await snapshots.remove(key).catch((error: unknown) => {
      run.job.log.warn({ err: messageOf(error) }, 'snapshot of a build result not removed');
    });
  }
}
