import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'smol-toml';
import { EngineError, messageOf } from '../errors.ts';
import { endpointPermissions } from './api-switches.ts';
import { imagePattern } from './privilege-rules.ts';
import { proxySettings } from './proxies.ts';
import { readConfigFile, type ConfigFile } from './config-file.ts';
import { parseListenAddress } from './listen-address.ts';
import { positive, sizeBytes } from './quantities.ts';
import type { EnvironmentFormat, Settings } from './schema.ts';
import {
  absolute,
  buildkitdSocket,
  cacheScope,
  cgroupParent,
  egress,
  fence,
  hostPlatform,
  logLevel,
  networkChoice,
  pluginName,
  registryPlaces,
  watermarks,
} from './values.ts';

/** The default place of the configuration file; absent is fine there, and nowhere else. */
export const DEFAULT_CONFIG_PATH = '/etc/berth/config.toml';

const SETTING_OPTIONS = {
  job: { type: 'string' },
  socket: { type: 'string' },
  root: { type: 'string' },
  'run-dir': { type: 'string' },
  containerd: { type: 'string' },
  config: { type: 'string' },
  network: { type: 'string' },
  egress: { type: 'string' },
  'accept-weak-host': { type: 'boolean' },
  'cgroup-parent': { type: 'string' },
  memory: { type: 'string' },
  cpus: { type: 'string' },
  pids: { type: 'string' },
  workspace: { type: 'string', multiple: true },
  'host-platform': { type: 'string' },
  registries: { type: 'string' },
  'cache-scope': { type: 'string' },
  'log-level': { type: 'string' },
} as const;

const SERVE_OPTIONS = {
  listen: { type: 'string' },
  'env-file': { type: 'string' },
  'env-format': { type: 'string' },
} as const;

const RUN_OPTIONS = {
  image: { type: 'string' },
  volume: { type: 'string', short: 'v', multiple: true },
  env: { type: 'string', short: 'e', multiple: true },
} as const;

/** What a command line asks for: who the job is, where its socket goes, and the settings that hold for it. */
export interface CommandLine {
  readonly job: string | undefined;
  readonly socket: string | undefined;
  readonly settings: Settings;
  readonly image: string | undefined;
  readonly volumes: readonly string[];
  readonly env: readonly string[];
  /** Where and how `berth serve` writes the job's environment. */
  readonly envFile: { readonly path: string; readonly format: EnvironmentFormat } | undefined;
  /** What follows the options: the command of `berth run`. */
  readonly command: readonly string[];
  /** The environment that berth was started with. */
  readonly ownEnv: NodeJS.ProcessEnv;
}

interface Flags {
  readonly job?: string;
  readonly socket?: string;
  readonly root?: string;
  readonly 'run-dir'?: string;
  readonly containerd?: string;
  readonly config?: string;
  readonly network?: string;
  readonly egress?: string;
  readonly 'accept-weak-host'?: boolean;
  readonly 'cgroup-parent'?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly pids?: string;
  readonly workspace?: string[];
  readonly 'host-platform'?: string;
  readonly registries?: string;
  readonly 'cache-scope'?: string;
  readonly 'log-level'?: string;
  readonly image?: string;
  readonly volume?: string[];
  readonly env?: string[];
  readonly listen?: string;
  readonly 'env-file'?: string;
  readonly 'env-format'?: string;
}

/** Merges flags over the configuration file over the defaults; every mistake is an InvalidArgument that names it. */
export function loadCommandLine(
  args: readonly string[],
  accepts: 'serve' | 'run' | 'gc' | 'explain',
): CommandLine {
  const { own, command } = splitCommand(args, accepts);
  const flags = parseFlags(own, accepts);
  const file = loadFile(flags.config);
  return {
    job: flags.job,
    socket: flags.socket === undefined ? undefined : resolve(flags.socket),
    settings: mergeSettings(flags, file, process.env),
    image: flags.image,
    volumes: flags.volume ?? [],
    env: flags.env ?? [],
    envFile: envFile(flags),
    command,
    ownEnv: process.env,
  };
}

/** The options end at `--`, or, for `run` and `explain`, at the first word that is neither an option nor an option's value. */
function splitCommand(
  args: readonly string[],
  accepts: string,
): { own: readonly string[]; command: readonly string[] } {
  if (accepts !== 'run' && accepts !== 'explain') return { own: args, command: [] };
  const options: Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }> = {
    ...SETTING_OPTIONS,
    ...RUN_OPTIONS,
  };
  const takesValue = (word: string): boolean =>
    word.startsWith('--')
      ? !word.includes('=') &&
        Object.hasOwn(options, word.slice(2)) &&
        options[word.slice(2)]?.type === 'string'
      : word.length === 2 && Object.values(options).some((option) => option.short === word[1]);
  let index = 0;
  for (;;) {
    const word = args[index];
    if (word === undefined) return { own: args, command: [] };
    if (word === '--') return { own: args.slice(0, index), command: args.slice(index + 1) };
    if (!word.startsWith('-')) return { own: args.slice(0, index), command: args.slice(index) };
    index += takesValue(word) ? 2 : 1;
  }
}

function parseFlags(args: readonly string[], accepts: string): Flags {
  const more = accepts === 'run' ? RUN_OPTIONS : accepts === 'serve' ? SERVE_OPTIONS : {};
  const options = { ...SETTING_OPTIONS, ...more };
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    return values;
  } catch (error) {
    throw new EngineError('InvalidArgument', messageOf(error), { cause: error });
  }
}

function loadFile(path: string | undefined): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path ?? DEFAULT_CONFIG_PATH, 'utf8');
  } catch (error) {
    if (path === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new EngineError('InvalidArgument', `cannot read the configuration: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    return readConfigFile(parse(text));
  } catch (error) {
    throw new EngineError('InvalidArgument', `${path ?? DEFAULT_CONFIG_PATH}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** What holds where neither flag nor file says anything. */
const DEFAULTS = {
  snapshotter: 'overlayfs',
  root: '/var/lib/berth',
  runDir: '/run/berth',
  hostPlatform: process.platform,
  neutralise: [],
  apiProfile: 'job',
  apiSwitches: {},
  networkMode: 'isolated',
  egress: 'internet',
  egressAllow: [],
  acceptWeakHost: false,
  cgroupParent: '/berth',
  // A fork bomb ends here, and not at the machine's own limit.
  pids: 16_384,
  workspaces: [],
  insecureRegistries: [],
  privateRegistries: [],
  cacheHighPercent: 85,
  cacheLowPercent: 75,
  buildCacheBytes: 20 * 1024 * 1024 * 1024,
  initPath: '/usr/bin/tini-static',
  logMaxBytes: 256 * 1024 * 1024,
  maxContainers: 500,
  maxExecs: 2048,
  startSeconds: 60,
  maxNetworks: 100,
  maxPorts: 4096,
  maxVolumes: 1000,
  maxLogBytes: 4 * 1024 * 1024 * 1024,
  maxBodyBytes: 4 * 1024 * 1024,
  maxLayerBytes: 32 * 1024 * 1024 * 1024,
  maxImageBytes: 256 * 1024 * 1024 * 1024,
  logLevel: 'info',
} as const satisfies ConfigFile;

function mergeSettings(flags: Flags, file: ConfigFile, environment: NodeJS.ProcessEnv): Settings {
  const values = { ...DEFAULTS, ...file, ...flagValues(flags) };
  return {
    root: absolute('root', values.root),
    runDir: absolute('run-dir', values.runDir),
    containerd: values.containerdAddress,
    snapshotter: pluginName('containerd.snapshotter', values.snapshotter),
    hostPlatform: hostPlatform(values.hostPlatform),
    allowPrivileged: values.allowPrivileged,
    neutralise: values.neutralise.map((pattern) => imagePattern('dind.neutralise', pattern)),
    fence: values.fence === undefined ? undefined : fence(values.fence),
    api: endpointPermissions({ profile: values.apiProfile, switches: values.apiSwitches }, environment),
    network: networkChoice(values.networkMode),
    egress: egress(values.egress),
    egressAllow: values.egressAllow,
    acceptWeakHost: values.acceptWeakHost,
    cgroupParent: cgroupParent(values.cgroupParent),
    memoryBytes: values.memory === undefined ? undefined : sizeBytes('memory', values.memory),
    cpus: values.cpus,
    pids: values.pids,
    workspaces: values.workspaces.map((path) => absolute('workspace', path)),
    registriesDir: values.registriesDirectory,
    insecureRegistries: values.insecureRegistries,
    allowedRegistries: values.allowedRegistries,
    privateRegistries: registryPlaces(values.privateRegistries),
    proxies: proxySettings(environment),
    registryCredentials:
      values.registryCredentials && absolute('registries.credentials', values.registryCredentials),
    cacheScope: cacheScope(values.cacheScope),
    ...watermarks(values.cacheHighPercent, values.cacheLowPercent),
    ...{ buildCacheBytes: values.buildCacheBytes, buildkitd: buildkitdSocket(values.buildkitd) },
    initPath: absolute('containers.init_path', values.initPath),
    logMaxBytes: values.logMaxBytes,
    limits: {
      containers: values.maxContainers,
      execs: values.maxExecs,
      networks: values.maxNetworks,
      ports: values.maxPorts,
      volumes: values.maxVolumes,
      logBytes: values.maxLogBytes,
      bodyBytes: values.maxBodyBytes,
      layerBytes: values.maxLayerBytes,
      imageBytes: values.maxImageBytes,
      startSeconds: values.startSeconds,
    },
    logLevel: logLevel(values.logLevel),
    listen: flags.listen === undefined ? undefined : parseListenAddress(flags.listen),
  };
}

/** The flags under their settings' names, without those that were not given. */
function flagValues(flags: Flags): ConfigFile {
  const given: Record<string, unknown> = {
    root: flags.root,
    runDir: flags['run-dir'],
    containerdAddress: flags.containerd,
    hostPlatform: flags['host-platform'],
    networkMode: flags.network,
    egress: flags.egress,
    acceptWeakHost: flags['accept-weak-host'],
    cgroupParent: flags['cgroup-parent'],
    memory: flags.memory,
    cpus: flags.cpus === undefined ? undefined : positive('cpus', flags.cpus),
    pids: flags.pids === undefined ? undefined : Math.floor(positive('pids', flags.pids)),
    workspaces: flags.workspace,
    registriesDirectory: flags.registries,
    cacheScope: flags['cache-scope'],
    logLevel: flags['log-level'],
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function envFile(flags: Flags): CommandLine['envFile'] {
  const { 'env-file': path, 'env-format': format = 'dotenv' } = flags;
  if (format !== 'github' && format !== 'gitlab' && format !== 'dotenv')
    throw new EngineError('InvalidArgument', `env-format is github, gitlab or dotenv, not "${format}"`);
  if (path !== undefined) return { path: resolve(path), format };
  if (flags['env-format'] === undefined) return undefined;
  throw new EngineError('InvalidArgument', 'env-format needs --env-file FILE');
}
