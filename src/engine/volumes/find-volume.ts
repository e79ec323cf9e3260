import { EngineError } from '../../errors.ts';
import type { VolumeRecord } from '../../state/volume-store.ts';
import type { Job } from '../job.ts';

/** The volume of this name; NotFound in dockerd's words. */
export function findVolume(job: Pick<Job, 'volumes'>, name: string): VolumeRecord {
  const record = job.volumes.get(name);
  if (!record) throw new EngineError('NotFound', `get ${name}: no such volume`);
  return record;
}
