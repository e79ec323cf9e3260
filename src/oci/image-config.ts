import { EngineError } from '../errors.ts';
import { isDigest } from './digest.ts';
import { optionalString, recordOf, stringArray, stringRecord, type JsonObject } from './image-json.ts';
import type { Platform } from './platform.ts';

/** How a container of the image is checked; durations in nanoseconds, 0 = the default. */
export interface ImageHealthcheck {
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** What containers of the image start with. */
export interface ImageRunConfig {
  readonly user: string;
  readonly exposedPorts: readonly string[];
  readonly env: readonly string[];
  /** Undefined where the image has none, which is not the same as an empty one. */
  readonly entrypoint: readonly string[] | undefined;
  readonly cmd: readonly string[] | undefined;
  readonly volumes: readonly string[];
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string;
  readonly stopTimeout: number | undefined;
  readonly shell: readonly string[] | undefined;
  readonly onBuild: readonly string[];
  readonly healthcheck: ImageHealthcheck | undefined;
}

/** A configuration that says nothing. */
export const NO_RUN_CONFIG: ImageRunConfig = {
  user: '',
  exposedPorts: [],
  env: [],
  entrypoint: undefined,
  cmd: undefined,
  volumes: [],
  workingDir: '',
  labels: {},
  stopSignal: '',
  stopTimeout: undefined,
  shell: undefined,
  onBuild: [],
  healthcheck: undefined,
};

/** One step of how the image was made. */
export interface ImageHistoryEntry {
  readonly created: string;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  readonly emptyLayer: boolean;
}

/** The container that an image was made from, as its builder noted it. */
export interface ImageOrigin {
  readonly containerId: string;
  readonly hostname: string;
  /** The image as the container's creator named it. */
  readonly image: string;
  readonly config: ImageRunConfig;
}

/** An image's configuration: what is known of it, in one shape, whoever built it. */
export interface ImageConfig {
  readonly platform: Platform;
  readonly osVersion: string;
  /** RFC 3339, or empty where the image does not say. */
  readonly created: string;
  readonly author: string;
  readonly comment: string;
  readonly dockerVersion: string;
  readonly config: ImageRunConfig;
  readonly origin: ImageOrigin | undefined;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly history: readonly ImageHistoryEntry[];
}

/** Most bytes that an image configuration may have. */
export const MAX_IMAGE_CONFIG_BYTES = 8 * 1024 * 1024;

/** Most layers that an image may have; overlayfs itself stops well before. */
export const MAX_IMAGE_LAYERS = 512;

const MAX_LIST_ITEMS = 10_000;

/** Reads an image configuration as some registry or archive gave it; InvalidArgument names what is wrong. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  if (bytes.byteLength > MAX_IMAGE_CONFIG_BYTES)
    throw new EngineError('InvalidArgument', 'invalid image config: too large');
  const root = recordOf(parseJson(bytes, 'image config'), 'image config');
  const diffIds = parseDiffIds(root);
  return {
    platform: {
      os: optionalString(root, 'os') || 'linux',
      architecture: optionalString(root, 'architecture'),
      variant: optionalString(root, 'variant'),
    },
    osVersion: optionalString(root, 'os.version'),
    created: parseTime(optionalString(root, 'created')),
    author: optionalString(root, 'author'),
    comment: optionalString(root, 'comment'),
    dockerVersion: optionalString(root, 'docker_version'),
    config: parseRunConfig(recordOf(root['config'] ?? {}, 'config')),
    origin: parseOrigin(root),
    diffIds,
    history: parseHistory(root['history']),
  };
}

/** JSON of bytes that must be one document in UTF-8; InvalidArgument otherwise. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new EngineError('InvalidArgument', `invalid ${what}: not JSON`, { cause });
  }
}

function parseDiffIds(root: JsonObject): readonly string[] {
  const rootfs = recordOf(root['rootfs'], 'rootfs');
  const type = optionalString(rootfs, 'type');
  if (type !== '' && type !== 'layers')
    throw new EngineError(
      'InvalidArgument',
      `invalid image config: unknown rootfs type "${type.slice(0, 64)}"`,
    );
  const diffIds = stringArray(rootfs['diff_ids'] ?? [], 'diff_ids', MAX_IMAGE_LAYERS);
  if (!diffIds.every(isDigest))
    throw new EngineError('InvalidArgument', 'invalid image config: diff_ids are not sha256 digests');
  return diffIds;
}

function parseOrigin(root: JsonObject): ImageOrigin | undefined {
  const containerId = optionalString(root, 'container');
  const config = root['container_config'];
  if (containerId === '' && (config === undefined || config === null)) return undefined;
  const members = recordOf(config ?? {}, 'container_config');
  return {
    containerId,
    hostname: optionalString(members, 'Hostname'),
    image: optionalString(members, 'Image'),
    config: parseRunConfig(members),
  };
}

function parseRunConfig(config: JsonObject): ImageRunConfig {
  const stopTimeout = config['StopTimeout'];
  return {
    user: optionalString(config, 'User'),
    exposedPorts: keysOf(config['ExposedPorts'], 'ExposedPorts'),
    env: stringArray(config['Env'] ?? [], 'Env', MAX_LIST_ITEMS),
    entrypoint: commandOf(config['Entrypoint'], 'Entrypoint'),
    cmd: commandOf(config['Cmd'], 'Cmd'),
    volumes: keysOf(config['Volumes'], 'Volumes'),
    workingDir: optionalString(config, 'WorkingDir'),
    labels: stringRecord(config['Labels'] ?? {}, 'Labels', MAX_LIST_ITEMS),
    stopSignal: optionalString(config, 'StopSignal'),
    stopTimeout:
      typeof stopTimeout === 'number' && Number.isSafeInteger(stopTimeout) ? stopTimeout : undefined,
    shell: commandOf(config['Shell'], 'Shell'),
    onBuild: stringArray(config['OnBuild'] ?? [], 'OnBuild', MAX_LIST_ITEMS),
    healthcheck: parseHealthcheck(config['Healthcheck']),
  };
}

// Old builders wrote a plain string where a list is meant.
function commandOf(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? [value] : stringArray(value, name, MAX_LIST_ITEMS);
}

function keysOf(value: unknown, name: string): readonly string[] {
  const keys = Object.keys(recordOf(value ?? {}, name));
  if (keys.length > MAX_LIST_ITEMS) throw new EngineError('InvalidArgument', `invalid ${name}: too many`);
  return keys;
}

function parseHealthcheck(value: unknown): ImageHealthcheck | undefined {
  if (value === undefined || value === null) return undefined;
  const check = recordOf(value, 'Healthcheck');
  return {
    test: stringArray(check['Test'] ?? [], 'Healthcheck.Test', MAX_LIST_ITEMS),
    interval: countOf(check, 'Interval'),
    timeout: countOf(check, 'Timeout'),
    startPeriod: countOf(check, 'StartPeriod'),
    startInterval: countOf(check, 'StartInterval'),
    retries: countOf(check, 'Retries'),
  };
}

function countOf(object: JsonObject, name: string): number {
  const value = object[name] ?? 0;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw new EngineError('InvalidArgument', `invalid Healthcheck.${name}: not a count`);
  return Math.trunc(value);
}

function parseHistory(value: unknown): readonly ImageHistoryEntry[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_LIST_ITEMS)
    throw new EngineError('InvalidArgument', 'invalid image config: history is not a list');
  return value.map((item) => {
    const entry = recordOf(item, 'history');
    return {
      created: parseTime(optionalString(entry, 'created')),
      createdBy: optionalString(entry, 'created_by'),
      author: optionalString(entry, 'author'),
      comment: optionalString(entry, 'comment'),
      emptyLayer: entry['empty_layer'] === true,
    };
  });
}

function parseTime(text: string): string {
  if (text === '') return '';
  if (text.length > 64 || Number.isNaN(Date.parse(text)))
    throw new EngineError('InvalidArgument', 'invalid image config: a time is not RFC 3339');
  return text;
}
