import { ShapeError } from '../../errors.ts';
import type { BuildRequest } from '../../wire/build-request.ts';
import type { EndpointParameters } from '../../wire/endpoint-parameters.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import { decodeCreate } from '../containers/decode-create.ts';
import type { ApiVersion } from '../http/api-version.ts';
import type { Query } from '../http/query.ts';
import { isJsonObject, parseJsonText } from './json-parameter.ts';

type BuildQuery = Query<EndpointParameters['build']>;

/** Decodes the query of `POST /build`, else InvalidArgument. */
export function decodeBuild(query: BuildQuery, version: ApiVersion): BuildRequest {
  return {
    dockerfile: query.string('dockerfile') || 'Dockerfile',
    remote: query.string('remote'),
    tags: query.list('t').filter((tag) => tag !== ''),
    buildArgs: stringMap(query, 'buildargs', isStringOrNull),
    labels: stringMap(query, 'labels', isString),
    target: query.string('target'),
    cacheFrom: stringList(query, 'cachefrom'),
    noCache: query.bool('nocache'),
    pull: query.bool('pull'),
    remove: query.boolOr('rm', true),
    forceRemove: query.bool('forcerm'),
    squash: query.bool('squash'),
    platform: query.string('platform'),
    version: query.string('version'),
    outputs: query.string('outputs'),
    entitlements: query.list('entitlements').filter((one) => one !== ''),
    container: decodeContainer(query, version),
  };
}

function decodeContainer(query: BuildQuery, version: ApiVersion): CreateRequest {
  const host = {
    NetworkMode: query.string('networkmode'),
    ExtraHosts: query.list('extrahosts'),
    SecurityOpt: query.list('securityopt'),
    CgroupParent: query.string('cgroupparent'),
    Isolation: query.string('isolation'),
    Ulimits: query.has('ulimits') ? parseJsonText('ulimits', query.string('ulimits')) : null,
    ShmSize: query.int('shmsize') ?? 0,
    Memory: query.int('memory') ?? 0,
    MemorySwap: query.int('memswap') ?? 0,
    CpuShares: query.int('cpushares') ?? 0,
    CpuPeriod: query.int('cpuperiod') ?? 0,
    CpuQuota: query.int('cpuquota') ?? 0,
    CpusetCpus: query.string('cpusetcpus'),
    CpusetMems: query.string('cpusetmems'),
  };
  return decodeBuildContainer(host, version);
}

/**
 * The container of a build's steps, from a HostConfig of ours. Through the decoder of create: what a build may say of
 * its containers has the same form and the same defaults.
 */
export function decodeBuildContainer(host: object, version: ApiVersion): CreateRequest {
  const body = { Image: 'build', Cmd: ['build'], HostConfig: { ...host, LogConfig: { Type: 'none' } } };
  return decodeCreate(Buffer.from(JSON.stringify(body)), version).request;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function stringMap<T>(
  query: BuildQuery,
  name: EndpointParameters['build'],
  isValue: (value: unknown) => value is T,
): Readonly<Record<string, T>> {
  const value = query.string(name) === '' ? null : parseJsonText(name, query.string(name));
  const result = Object.create(null) as Record<string, T>;
  if (value === null) return result;
  if (!isJsonObject(value)) throw invalid(name);
  for (const [key, one] of Object.entries(value)) {
    if (!isValue(one)) throw invalid(name);
    result[key] = one;
  }
  return result;
}

function stringList(query: BuildQuery, name: EndpointParameters['build']): readonly string[] {
  const value = query.string(name) === '' ? null : parseJsonText(name, query.string(name));
  if (value === null) return [];
  if (!Array.isArray(value) || !value.every(isString)) throw invalid(name);
  return value;
}

function invalid(name: string): ShapeError {
  return new ShapeError(`error reading ${name}: not of the right form`);
}
