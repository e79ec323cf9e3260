import { EngineError } from '../../errors.ts';
import type { Volume, VolumeCreateRequest } from '../../wire/volume.ts';
import type { Job } from '../job.ts';
import { describeVolume } from './describe-volume.ts';
import { makeVolume } from './make-volume.ts';

/** `POST /volumes/create`: the same name again answers with the volume that is there. */
export async function createVolume(job: Job, request: VolumeCreateRequest): Promise<Volume> {
  checkDriver(request);
  checkOptions(request);
  const name = request.name === '' ? undefined : request.name;
  return makeVolume(job, { name, labels: request.labels, driverOpts: request.driverOpts }, describeVolume);
}

function checkDriver({ name, driver }: VolumeCreateRequest): void {
  if (driver === '' || driver === 'local') return;
  throw new EngineError(
    'NotFound',
    `create ${name}: error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
  );
}

// Options of the local driver are those of mount(8) by the daemon's hand: bind, nfs, overlay or any block device.
function checkOptions({ name, driverOpts }: VolumeCreateRequest): void {
  const options = new Map(Object.entries(driverOpts ?? {}));
  for (const option of options.keys())
    if (!['type', 'device', 'o'].includes(option))
      throw new EngineError('InvalidArgument', `create ${name}: invalid option: ${JSON.stringify(option)}`);
  if (options.size === 0) return;
  for (const required of ['type', 'device'])
    if (!options.get(required))
      throw new EngineError(
        'InvalidArgument',
        `create ${name}: missing required option: ${JSON.stringify(required)}`,
      );
  if (options.get('type') === 'tmpfs' && options.get('device') === 'tmpfs')
    throw new EngineError(
      'NotImplemented',
      `create ${name}: DriverOpts type=tmpfs is not supported; mount a tmpfs into the container instead (--tmpfs)`,
    );
  throw new EngineError(
    'PermissionDenied',
    `create ${name}: DriverOpts are not permitted: they would mount on the host as root. Use a volume without options, ` +
      'or a bind mount of a path that the job sees',
  );
}
