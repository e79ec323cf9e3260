import { admitVolume } from '../../policy/admit-requests.ts';
import { volumeBindOf } from '../../policy/volume-bind.ts';
import type { Volume, VolumeCreateRequest } from '../../wire/volume.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { checkVolumeBind } from '../mounts/stage-binds.ts';
import { describeVolume } from './describe-volume.ts';
import { makeVolume } from './make-volume.ts';

/** `POST /volumes/create`: the same name again answers with the volume that is there. */
export async function createVolume(job: Job, request: VolumeCreateRequest): Promise<Volume> {
  admitVolume(request, auditedGate(job, gateContextOf(job), { verb: 'volume create' }));
  const bind = volumeBindOf(request.driverOpts);
  if (bind) await checkVolumeBind(job, bind);
  const name = request.name === '' ? undefined : request.name;
  return makeVolume(job, { name, labels: request.labels, driverOpts: request.driverOpts }, describeVolume);
}
