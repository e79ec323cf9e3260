import { maskedPaths, READONLY_PATHS } from '../../oci/paths.ts';
import type { ContainerInspect } from '../../wire/container-inspect.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import type { Job } from '../job.ts';
import { describeLinks } from './container-links.ts';
import { describeMount } from './describe-mounts.ts';
import { describeNetworkSettings } from './describe-networks.ts';
import { describeState } from './describe-state.ts';
import { measureSize } from './measure-size.ts';

/** The paths that are hidden and kept from writes where the request left that to the daemon. */
function shownPaths(
  job: Job,
  { Privileged: isPrivileged, MaskedPaths: masked, ReadonlyPaths: readonly }: HostConfig,
): Pick<HostConfig, 'MaskedPaths' | 'ReadonlyPaths'> {
  if (isPrivileged) return { MaskedPaths: null, ReadonlyPaths: null };
  return {
    MaskedPaths: masked ?? maskedPaths(job.host.cpus),
    ReadonlyPaths: readonly ?? READONLY_PATHS,
  };
}

/** `GET /containers/{id}/json`; paths of the host are not shown, so those members are empty. */
export async function inspectContainer(
  job: Job,
  containerRef: string,
  options: { readonly includeSize: boolean },
): Promise<ContainerInspect> {
  const container = job.containers.resolve(containerRef);
  const size = options.includeSize ? await measureSize(job, container) : undefined;
  const { record } = container;
  const [path = '', ...args] = record.argv;
  const execIds = [...container.execIds].filter((id) => job.execs.get(id)?.state.status === 'running');
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path,
    Args: args,
    State: describeState(container),
    Image: record.imageId,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: job.store.snapshots.snapshotter,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length === 0 ? null : execIds,
    HostConfig: {
      ...record.hostConfig,
      ...shownPaths(job, record.hostConfig),
      Links: describeLinks(job, record),
    },
    GraphDriver: { Name: job.store.snapshots.snapshotter, Data: null },
    ...(size ? { SizeRw: size.rwBytes, SizeRootFs: size.rootFsBytes } : {}),
    Mounts: record.mounts.map(describeMount),
    Config: record.config,
    NetworkSettings: describeNetworkSettings(job, container),
  };
}
