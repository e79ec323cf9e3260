import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';
import { findVolume } from './find-volume.ts';
import { volumeUsers } from './volume-users.ts';

/** `DELETE /volumes/{name}`: Conflict while a container has it mounted, force or not; with force an absent one is fine. */
export async function removeVolume(
  job: Job,
  name: string,
  options: { readonly force: boolean },
): Promise<void> {
  if (options.force && !job.volumes.get(name)) return;
  await job.volumes.lock.run(name, async () => {
    findVolume(job, name);
    const users = volumeUsers(job, name);
    if (users.length > 0)
      throw new EngineError('Conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    await deleteVolume(job, name);
  });
}

/** Deletes a volume that nothing uses, and says so; the caller holds the lock of its name. */
export async function deleteVolume(job: Job, name: string): Promise<void> {
  await job.volumes.remove(name);
  job.events.emit({ type: 'volume', action: 'destroy', actorId: name, attributes: { driver: 'local' } });
}
