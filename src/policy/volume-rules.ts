import type { VolumeCreateRequest } from '../wire/volume.ts';
import { bad, deny, free, missing, quote, unless, type Finding, type RuleTable } from './rule.ts';
import { volumeBindOf } from './volume-bind.ts';

const OPTIONS: readonly string[] = ['type', 'device', 'o'];
const REQUIRED = ['type', 'device'] as const;

function checkDriver(driver: string, { name }: VolumeCreateRequest): readonly Finding[] {
  if (driver === '' || driver === 'local') return [];
  const plugin = driver.slice(0, 200);
  const message = `create ${name}: error looking up volume plugin ${plugin}: plugin ${JSON.stringify(plugin)} not found`;
  return [missing(message)];
}

function checkOptions(
  options: VolumeCreateRequest['driverOpts'],
  { name }: VolumeCreateRequest,
): readonly Finding[] {
  const given = new Map(Object.entries(options ?? {}));
  if (given.size === 0) return [];
  const unknown = [...given.keys()].find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) return [bad(`create ${name}: invalid option: ${quote(unknown)}`)];
  const absent = REQUIRED.find((option) => !given.get(option));
  if (absent !== undefined) return [bad(`create ${name}: missing required option: ${quote(absent)}`)];
  if (volumeBindOf(options)) return [];
  const isTmpfs = REQUIRED.every((option) => given.get(option) === 'tmpfs');
  const message = `create ${name}: DriverOpts type=tmpfs is not supported; mount a tmpfs into the container instead (--tmpfs)`;
  // Their values may be passwords of file servers.
  return isTmpfs ? [{ kind: 'unsupported', message }] : [deny([...given.keys()].join(', '))];
}

/** The gate's table for `POST /volumes/create`: one row for every field that is decoded. */
export const VOLUME_RULES: RuleTable<VolumeCreateRequest, VolumeCreateRequest> = {
  name: {
    verdict: 'bad',
    reason:
      "Docker's characters for names; it names a volume of this job alone, and a directory in the job's own",
  },
  driver: {
    verdict: 'bad',
    reason: 'a volume driver is a program of the machine: there is none but local',
    check: checkDriver,
  },
  driverOpts: {
    verdict: 'deny',
    reason:
      'they are those of mount(8), carried out on the machine as root: any file system, device or directory; ' +
      'type=none with o=bind of a path that the job sees is free: it is looked up, refused and mounted as a bind of it is',
    safer: 'use a volume without options, or a bind mount of a path that the job sees',
    check: checkOptions,
  },
  labels: free("kept by berth; never the labels of containerd's objects"),
  clusterVolumeSpec: {
    verdict: 'bad',
    reason: "volumes of a swarm's storage plugins: there is no swarm",
    check: (isAsked) =>
      unless(!isAsked, { kind: 'unsupported', message: 'cluster volumes are not supported by this daemon' }),
  },
};
