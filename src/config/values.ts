import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { EngineError } from '../errors.ts';
import type { HostPlatform, NetworkChoice, Settings } from './schema.ts';

/** A cache owner; InvalidArgument for what is no plain name. */
export function cacheScope(value: string | undefined): string | undefined {
  if (value === undefined || /^[\x21-\x7e]{0,256}$/.test(value)) return value;
  throw new EngineError('InvalidArgument', 'cache-scope is up to 256 visible ASCII characters');
}

/** Percentages that a disk is cleared between. */
export function watermarks(
  high: number,
  low: number,
): Pick<Settings, 'cacheHighPercent' | 'cacheLowPercent'> {
  if (high <= 100 && low <= high) return { cacheHighPercent: high, cacheLowPercent: low };
  throw new EngineError(
    'InvalidArgument',
    'cache.low_percent is no more than cache.high_percent, and that no more than 100',
  );
}

/** A plugin of containerd, by its own rule for names. */
export function pluginName(name: string, value: string): string {
  if (/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/.test(value)) return value;
  throw new EngineError('InvalidArgument', `${name} is the name of a plugin, not "${value}"`);
}

/** A level that the logger knows. */
export function logLevel(value: string): string {
  if (['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].includes(value)) return value;
  throw new EngineError('InvalidArgument', `log-level is error, warn, info or debug, not "${value}"`);
}

/** An absolute path, normalised. */
export function absolute(name: string, path: string): string {
  if (!isAbsolute(path))
    throw new EngineError('InvalidArgument', `${name} must be an absolute path, not "${path}"`);
  return resolve(path);
}

/** Where a buildkitd serves: a socket, for a job that could reach it by the network could pass by the gate. */
export function buildkitdSocket(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const path = value.replace(/^unix:\/\//, '');
  if (isAbsolute(path)) return resolve(path);
  throw new EngineError(
    'InvalidArgument',
    `build.buildkitd is unix:// and the absolute path of a socket, not "${value}": over the network jobs could reach it themselves`,
  );
}

/** A platform by its own or by Node's name. */
export function hostPlatform(value: string): HostPlatform {
  if (value === 'linux' || value === 'darwin' || value === 'windows') return value;
  if (value === 'win32') return 'windows';
  throw new EngineError('InvalidArgument', `host-platform is linux, darwin or windows, not "${value}"`);
}

/** One word of the operator's. */
export function fence(value: string): string {
  if (/^[a-z0-9][a-z0-9.-]{0,31}$/.test(value)) return value;
  throw new EngineError(
    'InvalidArgument',
    `dind.fence is one word, none, hyperv, wsl2, vz, kata or firecracker for example, not "${value}"`,
  );
}

/** `isolated`, `host` or a path. */
export function networkChoice(value: string): NetworkChoice {
  if (value === 'isolated' || value === 'host') return { kind: value };
  if (isAbsolute(value)) return { kind: 'path', path: resolve(value) };
  throw new EngineError(
    'InvalidArgument',
    `network is isolated, host or the path of a network namespace, not "${value}"`,
  );
}

/** Where traffic may go. */
export function egress(value: string): Settings['egress'] {
  if (value === 'internet' || value === 'all' || value === 'none') return value;
  throw new EngineError('InvalidArgument', `egress is internet, all or none, not "${value}"`);
}

/** A path within the cgroup tree. */
export function cgroupParent(value: string): string {
  if (/^(\/[A-Za-z0-9_:.@-]+)+$/.test(value) && !value.split('/').includes('..')) return value;
  throw new EngineError(
    'InvalidArgument',
    `cgroup-parent is an absolute path in the cgroup tree, not "${value}"`,
  );
}

/** Hosts and CIDR blocks. */
export function registryPlaces(values: readonly string[]): readonly string[] {
  for (const value of values) {
    const [address = '', bits = ''] = value.split('/');
    const widest = isIP(address) === 6 ? 128 : 32;
    if (value.includes('/') && (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > widest))
      throw new EngineError('InvalidArgument', `registries.private: "${value}" is neither a host nor a CIDR`);
  }
  return values;
}
