import { EngineError } from '../errors.ts';
import type { EndpointSwitch } from '../policy/endpoint-permissions.ts';
import type { PrivilegeRule } from '../policy/privilege-rule.ts';
import { API_SWITCHES } from './api-switches.ts';
import { readPrivilegeRules } from './privilege-rules.ts';

/** The configuration file's values under their settings' names; a key that is not in the file is not here. */
export interface ConfigFile {
  readonly root?: string;
  readonly runDir?: string;
  readonly containerdAddress?: string;
  readonly snapshotter?: string;
  readonly allowPrivileged?: boolean | readonly PrivilegeRule[];
  readonly neutralise?: readonly string[];
  readonly fence?: string;
  readonly hostPlatform?: string;
  readonly apiProfile?: string;
  readonly apiSwitches?: Readonly<Partial<Record<EndpointSwitch, boolean>>>;
  readonly networkMode?: string;
  readonly egress?: string;
  readonly egressAllow?: readonly string[];
  readonly acceptWeakHost?: boolean;
  readonly cgroupParent?: string;
  readonly memory?: string | number;
  readonly cpus?: number;
  readonly pids?: number;
  readonly workspaces?: readonly string[];
  readonly registriesDirectory?: string;
  readonly insecureRegistries?: readonly string[];
  readonly allowedRegistries?: readonly string[];
  readonly privateRegistries?: readonly string[];
  readonly registryCredentials?: string;
  readonly cacheScope?: string;
  readonly cacheHighPercent?: number;
  readonly cacheLowPercent?: number;
  readonly buildCacheBytes?: number;
  readonly buildkitd?: string;
  readonly initPath?: string;
  readonly logMaxBytes?: number;
  readonly maxContainers?: number;
  readonly maxExecs?: number;
  readonly startSeconds?: number;
  readonly maxNetworks?: number;
  readonly maxPorts?: number;
  readonly maxVolumes?: number;
  readonly maxLogBytes?: number;
  readonly maxBodyBytes?: number;
  readonly maxLayerBytes?: number;
  readonly maxImageBytes?: number;
  readonly logLevel?: string;
}

type ValueType = 'string' | 'boolean' | 'integer' | 'number' | 'size' | 'strings' | 'rules';

/** Every key of the file: where it goes, and what it must be. */
const KEYS: Readonly<Record<string, { readonly setting: keyof ConfigFile; readonly type: ValueType }>> = {
  root: { setting: 'root', type: 'string' },
  run_dir: { setting: 'runDir', type: 'string' },
  'containerd.address': { setting: 'containerdAddress', type: 'string' },
  'containerd.snapshotter': { setting: 'snapshotter', type: 'string' },
  'dind.allow_privileged': { setting: 'allowPrivileged', type: 'rules' },
  'dind.neutralise': { setting: 'neutralise', type: 'strings' },
  'dind.fence': { setting: 'fence', type: 'string' },
  'dind.host_platform': { setting: 'hostPlatform', type: 'string' },
  'api.profile': { setting: 'apiProfile', type: 'string' },
  'network.mode': { setting: 'networkMode', type: 'string' },
  'network.egress': { setting: 'egress', type: 'string' },
  'network.egress_allow': { setting: 'egressAllow', type: 'strings' },
  'host.accept_weak': { setting: 'acceptWeakHost', type: 'boolean' },
  'job.cgroup_parent': { setting: 'cgroupParent', type: 'string' },
  'job.memory': { setting: 'memory', type: 'size' },
  'job.cpus': { setting: 'cpus', type: 'number' },
  'job.pids': { setting: 'pids', type: 'integer' },
  'job.workspaces': { setting: 'workspaces', type: 'strings' },
  'registries.directory': { setting: 'registriesDirectory', type: 'string' },
  'registries.insecure': { setting: 'insecureRegistries', type: 'strings' },
  'registries.allow': { setting: 'allowedRegistries', type: 'strings' },
  'registries.private': { setting: 'privateRegistries', type: 'strings' },
  'registries.credentials': { setting: 'registryCredentials', type: 'string' },
  'cache.scope': { setting: 'cacheScope', type: 'string' },
  'cache.high_percent': { setting: 'cacheHighPercent', type: 'integer' },
  'cache.low_percent': { setting: 'cacheLowPercent', type: 'integer' },
  'cache.build_bytes': { setting: 'buildCacheBytes', type: 'integer' },
  'build.buildkitd': { setting: 'buildkitd', type: 'string' },
  'containers.init_path': { setting: 'initPath', type: 'string' },
  'containers.log_max_bytes': { setting: 'logMaxBytes', type: 'integer' },
  'limits.containers': { setting: 'maxContainers', type: 'integer' },
  'limits.execs': { setting: 'maxExecs', type: 'integer' },
  'limits.networks': { setting: 'maxNetworks', type: 'integer' },
  'limits.ports': { setting: 'maxPorts', type: 'integer' },
  'limits.volumes': { setting: 'maxVolumes', type: 'integer' },
  'limits.log_bytes': { setting: 'maxLogBytes', type: 'integer' },
  'limits.body_bytes': { setting: 'maxBodyBytes', type: 'integer' },
  'limits.layer_bytes': { setting: 'maxLayerBytes', type: 'integer' },
  'limits.image_bytes': { setting: 'maxImageBytes', type: 'integer' },
  'limits.start_seconds': { setting: 'startSeconds', type: 'integer' },
  'log.level': { setting: 'logLevel', type: 'string' },
};

/** Checks a parsed TOML document against the known keys; an unknown key or a wrong type is an error, never ignored. */
export function readConfigFile(document: Readonly<Record<string, unknown>>): ConfigFile {
  const values: Partial<Record<keyof ConfigFile, unknown>> = {};
  const switches: Partial<Record<EndpointSwitch, boolean>> = {};
  for (const [path, value] of leaves(document, '')) {
    const apiSwitch = API_SWITCHES.get(path.replace(/^api\./, ''));
    if (apiSwitch !== undefined && path.startsWith('api.')) {
      switches[apiSwitch] = booleanOf(path, value);
      continue;
    }
    const key = Object.hasOwn(KEYS, path) ? KEYS[path] : undefined;
    if (!key) throw new EngineError('InvalidArgument', `unknown key ${path}`);
    requireType(path, value, key.type);
    values[key.setting] =
      Array.isArray(value) && key.type === 'rules' ? readPrivilegeRules(path, value) : value;
  }
  return {
    ...(values as ConfigFile),
    ...(Object.keys(switches).length > 0 ? { apiSwitches: switches } : {}),
  };
}

function booleanOf(path: string, value: unknown): boolean {
  requireType(path, value, 'boolean');
  return value === true;
}

function requireType(path: string, value: unknown, type: ValueType): void {
  if (!TYPES[type].test(value))
    throw new EngineError(
      'InvalidArgument',
      `${path} must be ${TYPES[type].name}, not ${JSON.stringify(value)}`,
    );
}

function* leaves(table: Readonly<Record<string, unknown>>, prefix: string): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(table)) {
    const path = prefix + name;
    if (
      typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(value) !== Array.prototype &&
      !(value instanceof Date)
    )
      yield* leaves(value as Record<string, unknown>, `${path}.`);
    else yield [path, value];
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

const TYPES: Readonly<
  Record<ValueType, { readonly test: (value: unknown) => boolean; readonly name: string }>
> = {
  string: { test: (value) => typeof value === 'string', name: 'a string' },
  boolean: { test: (value) => typeof value === 'boolean', name: 'true or false' },
  integer: {
    test: (value) => isNumber(value) && Number.isSafeInteger(value),
    name: 'a positive whole number',
  },
  number: { test: isNumber, name: 'a positive number' },
  size: {
    test: (value) => typeof value === 'string' || (isNumber(value) && Number.isSafeInteger(value)),
    name: 'a number of bytes, or one with a unit as in "4g"',
  },
  strings: {
    test: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    name: 'a list of strings',
  },
  rules: {
    test: (value) => typeof value === 'boolean' || Array.isArray(value),
    name: 'true or false, or a list of rules',
  },
};
