import { ShapeError } from '../../errors.ts';
import type { ContainerConfig } from '../../wire/container-config.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import type { HostConfig, MountRequest } from '../../wire/host-config.ts';
import type { EndpointSettings, NetworkingConfig } from '../../wire/networking-config.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';
import { map, object, type Decoded, type Decoder, type Place } from '../http/decode.ts';
import { parseJsonBody, type JsonValue } from '../http/strict-json.ts';
import { containerConfig, CONTAINER_CONFIG_MEMBERS } from './decode-container-config.ts';
import { hostConfig } from './decode-host-config.ts';
import { endpointSettings } from './decode-endpoint-settings.ts';

const DEFAULT_SHM_SIZE = 64 * 1024 * 1024;

const networkingConfig: Decoder<NetworkingConfig> = object<NetworkingConfig>({
  EndpointsConfig: (value, place) => map(endpointSettings)(value, place) ?? {},
});

/** Decodes the body of `POST /containers/create` as dockerd of that API version does, else InvalidArgument. */
export function decodeCreate(body: Uint8Array, version: ApiVersion): Decoded<CreateRequest> {
  const document = parseJsonBody(body);
  const place: Place = { struct: 'CreateRequest', path: '', ignored: [] };
  const config = containerConfig(document, place);
  const host = hostConfig(memberOf(document, 'HostConfig'), {
    ...place,
    struct: 'HostConfig',
    path: 'HostConfig',
  });
  const networking = networkingConfig(memberOf(document, 'NetworkingConfig'), {
    ...place,
    struct: 'NetworkingConfig',
    path: 'NetworkingConfig',
  });
  if (!CONTAINER_CONFIG_MEMBERS.some((name) => memberOf(document, name) !== undefined)) {
    throw new ShapeError('Config cannot be empty in order to create a container');
  }
  refuseHostnameConflicts(config, host);
  refuseNewerMounts(host, version);
  const shaped = shapedByVersion(host, version);
  const request: CreateRequest = {
    config: configOfVersion(config, version),
    hostConfig: withDefaults(shaped, version),
    networkingConfig: endpointsOfVersion(networking, version),
  };
  // dockerode sends the whole of its options, the name among them, which is also in the query.
  return { request, ignored: place.ignored.filter((path) => path !== 'name') };
}

function memberOf(document: JsonValue, name: string): JsonValue | undefined {
  return document instanceof Map ? (document as ReadonlyMap<string, JsonValue>).get(name) : undefined;
}

/** Checked here, for after the merge with its image every container has a hostname. */
function refuseHostnameConflicts(
  { Hostname: hostname }: ContainerConfig,
  { UTSMode: utsMode, NetworkMode: networkMode }: HostConfig,
): void {
  if (hostname === '') {
    return;
  }
  if (utsMode === 'host') {
    throw new ShapeError('conflicting options: hostname and the UTS mode');
  }
  if (networkMode.startsWith('container:')) {
    throw new ShapeError('conflicting options: hostname and the network mode');
  }
}

/** Left out, what is mounted would be another thing than asked for. */
function refuseNewerMounts({ Mounts: mounts = [] }: HostConfig, version: ApiVersion): void {
  if (!isAtLeast(version, '1.45') && mounts.some(({ VolumeOptions: options }) => options?.Subpath)) {
    throw new ShapeError('VolumeOptions.Subpath needs API v1.45 or newer');
  }
  if (!isAtLeast(version, '1.48') && mounts.some(({ Type: type }) => type === 'image')) {
    throw new ShapeError('Mount type "Image" needs API v1.48 or newer');
  }
}

/** What a version did not have yet is as if it had not been sent. */
function shapedByVersion(host: HostConfig, version: ApiVersion): HostConfig {
  const { Annotations: annotations, ...rest } = host;
  return {
    ...rest,
    ...(annotations !== undefined && isAtLeast(version, '1.43') ? { Annotations: annotations } : {}),
    ConsoleSize: isAtLeast(version, '1.42') ? host.ConsoleSize : [0, 0],
    AutoRemove: host.AutoRemove && isAtLeast(version, '1.25'),
    ...(host.Mounts ? { Mounts: host.Mounts.map((mount) => mountOfVersion(mount, version)) } : {}),
  };
}

function mountOfVersion(mount: MountRequest, version: ApiVersion): MountRequest {
  if (mount.BindOptions === undefined || isAtLeast(version, '1.42')) return mount;
  const newer = ['CreateMountpoint', ...(isAtLeast(version, '1.40') ? [] : ['NonRecursive'])];
  const known = Object.entries(mount.BindOptions).filter(([name]) => !newer.includes(name));
  return { ...mount, BindOptions: Object.fromEntries(known) };
}

function configOfVersion(config: ContainerConfig, version: ApiVersion): ContainerConfig {
  if (isAtLeast(version, '1.44') || config.Healthcheck?.StartInterval === undefined) {
    return config;
  }
  return { ...config, Healthcheck: { ...config.Healthcheck, StartInterval: 0 } };
}

function withDefaults(host: HostConfig, version: ApiVersion): HostConfig {
  const { NetworkMode: networkMode, PidsLimit: pidsLimit } = host;
  return {
    ...host,
    ...modeDefaults(host, version),
    NetworkMode: networkMode === '' || networkMode === 'default' ? 'bridge' : networkMode,
    ShmSize: host.ShmSize === 0 ? DEFAULT_SHM_SIZE : host.ShmSize,
    // The CLI's -1 says "not asked"; so does a limit of processes that is not positive.
    MemorySwappiness: host.MemorySwappiness === -1 ? null : host.MemorySwappiness,
    PidsLimit: pidsLimit !== null && pidsLimit <= 0 ? null : pidsLimit,
  };
}

function modeDefaults(host: HostConfig, version: ApiVersion): Partial<HostConfig> {
  return {
    RestartPolicy: { ...host.RestartPolicy, Name: host.RestartPolicy.Name || 'no' },
    LogConfig: { ...host.LogConfig, Type: host.LogConfig.Type || 'json-file' },
    IpcMode: host.IpcMode || (isAtLeast(version, '1.40') ? 'private' : 'shareable'),
    CgroupnsMode: host.CgroupnsMode || 'private',
    Runtime: host.Runtime || 'runc',
  };
}

function endpointsOfVersion(networking: NetworkingConfig, version: ApiVersion): NetworkingConfig {
  const names = Object.keys(networking.EndpointsConfig);
  if (!isAtLeast(version, '1.44') && names.length > 1) {
    throw new ShapeError(`Container cannot be created with multiple network endpoints: ${names.join(', ')}`);
  }
  const endpoints = Object.create(null) as Record<string, EndpointSettings>;
  for (const [name, settings] of Object.entries(networking.EndpointsConfig)) {
    endpoints[name === 'default' ? 'bridge' : name] = isAtLeast(version, '1.48')
      ? settings
      : { ...settings, GwPriority: 0 };
  }
  return { EndpointsConfig: endpoints };
}
