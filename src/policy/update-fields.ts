import type { HostConfig, Resources, RestartPolicy } from '../wire/host-config.ts';
import type { UpdateRequest } from '../wire/update-request.ts';

/** Members that an update can change in a container that exists; dockerd passes over the others. */
const UPDATABLE: ReadonlySet<keyof Resources> = new Set([
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpuShares',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'NanoCpus',
  'PidsLimit',
]);

/** What an update asks for: a value that is Go's zero asks for nothing, but no process limit is one. */
export function changesOf({ resources, restartPolicy }: UpdateRequest): Partial<HostConfig> {
  const given = Object.entries(resources).filter(
    ([name, value]) => (name === 'PidsLimit' && value !== null) || !isZero(value),
  );
  const policy: { RestartPolicy?: RestartPolicy } =
    restartPolicy.Name === '' ? {} : { RestartPolicy: restartPolicy };
  return { ...(Object.fromEntries(given) as Partial<Resources>), ...policy };
}

/** Names of the members that are asked for and cannot be changed. */
export function unchangeable(changes: Partial<HostConfig>): readonly string[] {
  return Object.keys(changes).filter((name) => name !== 'RestartPolicy' && !isUpdatable(name));
}

/** The configuration with what of the changes can take effect. */
export function withChanges(hostConfig: HostConfig, changes: Partial<HostConfig>): HostConfig {
  const applied = Object.entries(changes).filter(([name]) => name === 'RestartPolicy' || isUpdatable(name));
  return { ...hostConfig, ...(Object.fromEntries(applied) as Partial<HostConfig>) };
}

function isUpdatable(name: string): boolean {
  return (UPDATABLE as ReadonlySet<string>).has(name);
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === null || value === 0 || value === '' || value === false;
}
