import { formatTimeNs } from '../../lib/clock.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { VolumeRecord } from '../../state/volume-store.ts';
import type { Job } from '../job.ts';
import { checkVolumeName } from './volume-name.ts';

const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** What a volume is made from; without a name it is anonymous and gets one of 64 hex digits. */
export interface NewVolume {
  readonly name: string | undefined;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly driverOpts: Readonly<Record<string, string>> | null;
}

/** The volume of that name, made where there is none. Runs under the lock of the name, and has `use` run under it too. */
export async function makeVolume<T>(
  job: Job,
  volume: NewVolume,
  use: (record: VolumeRecord, isNew: boolean) => T,
): Promise<T> {
  if (volume.name !== undefined) checkVolumeName(volume.name);
  const name = volume.name ?? createRandomId();
  return job.volumes.lock.run(name, async () => {
    const known = job.volumes.get(name);
    if (known) return use(known, false);
    const isAnonymous = volume.name === undefined;
    const record = await job.volumes.create({
      name,
      createdAt: `${formatTimeNs(job.nowNs()).slice(0, 19)}Z`,
      labels: isAnonymous ? { ...volume.labels, [ANONYMOUS_LABEL]: '' } : volume.labels,
      driverOpts: volume.driverOpts,
      isAnonymous,
    });
    job.events.emit({ type: 'volume', action: 'create', actorId: name, attributes: { driver: 'local' } });
    return use(record, true);
  });
}
