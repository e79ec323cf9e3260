import { ShapeError } from '../errors.ts';
import type { ContainerConfig, EmptyObject, HealthConfig } from '../wire/container-config.ts';
import type { ImageConfig, ImageHealthcheck, ImageRunConfig } from './image-config.ts';
import { parseSignal } from './signals.ts';

/** A container's configuration with its image's values in it, and the program that it makes. */
export interface MergedConfig {
  readonly config: ContainerConfig;
  readonly argv: readonly string[];
}

/** Merges as dockerd does: the request wins, maps are joined; InvalidArgument when neither names a program. */
export function mergeImageConfig(asked: ContainerConfig, image: Pick<ImageConfig, 'config'>): MergedConfig {
  const merged = mergeConfigs(asked, image);
  if (merged.argv.length === 0) throw new ShapeError('no command specified', { field: 'Config.Cmd' });
  return merged;
}

/** The same where a program is not needed, as of an image. */
export function mergeConfigs(asked: ContainerConfig, image: Pick<ImageConfig, 'config'>): MergedConfig {
  const { config: inherited } = image;
  const command = mergeCommand(asked, inherited);
  const argv = [...(command.Entrypoint ?? []), ...(command.Cmd ?? [])];
  const config = {
    ...asked,
    ...command,
    ...mergeMaps(asked, inherited),
    ...mergeOptional(asked, inherited),
    User: asked.User || inherited.user,
    WorkingDir: asked.WorkingDir || inherited.workingDir,
    Env: mergeEnv(asked.Env ?? [], inherited.env),
  };
  if (config.StopSignal !== undefined) {
    parseSignal(config.StopSignal);
  }
  return { config, argv };
}

/** An entrypoint of the request hides the image's command; `[""]` stands for no entrypoint at all. */
function mergeCommand(
  asked: ContainerConfig,
  image: ImageRunConfig,
): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  const hasEntrypoint = (asked.Entrypoint ?? []).length > 0;
  const hasCommand = (asked.Cmd ?? []).length > 0;
  const entrypoint = asked.Entrypoint ?? image.entrypoint ?? null;
  return {
    Cmd: hasEntrypoint || hasCommand ? asked.Cmd : (image.cmd ?? asked.Cmd),
    Entrypoint: entrypoint?.length === 1 && entrypoint[0] === '' ? null : entrypoint,
  };
}

function mergeEnv(asked: readonly string[], image: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? entry;
  const names = new Set(asked.map(nameOf));
  return [...asked, ...image.filter((entry) => !names.has(nameOf(entry)))];
}

function mergeMaps(
  asked: ContainerConfig,
  image: ImageRunConfig,
): Pick<ContainerConfig, 'ExposedPorts' | 'Volumes' | 'Labels'> {
  const ports = joinNames(image.exposedPorts, asked.ExposedPorts);
  return {
    ...(Object.keys(ports).length > 0 ? { ExposedPorts: ports } : {}),
    Volumes:
      image.volumes.length === 0 && Object.keys(asked.Volumes ?? {}).length === 0
        ? null
        : joinNames(image.volumes, asked.Volumes ?? undefined),
    Labels: Object.assign(emptyRecord<string>(), image.labels, asked.Labels),
  };
}

function emptyRecord<T>(): Record<string, T> {
  // Without a prototype, so that a label named __proto__ is a label.
  return Object.create(null) as Record<string, T>;
}

function joinNames(
  image: readonly string[],
  asked: Readonly<Record<string, EmptyObject>> | undefined,
): Readonly<Record<string, EmptyObject>> {
  const joined = emptyRecord<EmptyObject>();
  for (const name of [...image, ...Object.keys(asked ?? {})]) {
    joined[name] = {};
  }
  return joined;
}

function mergeOptional(
  asked: ContainerConfig,
  image: ImageRunConfig,
): Pick<ContainerConfig, 'StopSignal' | 'StopTimeout' | 'Shell' | 'Healthcheck'> {
  const stopSignal = asked.StopSignal ?? image.stopSignal;
  const stopTimeout = asked.StopTimeout ?? image.stopTimeout;
  const shell = asked.Shell ?? image.shell;
  const health = mergeHealth(asked.Healthcheck, image.healthcheck);
  return {
    ...(stopSignal === '' ? {} : { StopSignal: stopSignal }),
    ...(stopTimeout === undefined ? {} : { StopTimeout: stopTimeout }),
    ...(shell === undefined || shell.length === 0 ? {} : { Shell: shell }),
    ...(health === undefined ? {} : { Healthcheck: health }),
  };
}

function mergeHealth(
  asked: HealthConfig | undefined,
  image: ImageHealthcheck | undefined,
): HealthConfig | undefined {
  if (image === undefined) {
    return asked;
  }
  const test = (asked?.Test ?? []).length > 0 ? asked?.Test : image.test;
  return {
    ...(test ? { Test: test } : {}),
    ...positive('Interval', asked?.Interval, image.interval),
    ...positive('Timeout', asked?.Timeout, image.timeout),
    ...positive('StartPeriod', asked?.StartPeriod, image.startPeriod),
    ...positive('StartInterval', asked?.StartInterval, image.startInterval),
    ...positive('Retries', asked?.Retries, image.retries),
  };
}

function positive(
  name: Exclude<keyof HealthConfig, 'Test'>,
  asked: number | undefined,
  image: number,
): HealthConfig {
  const value = asked === undefined || asked === 0 ? image : asked;
  return value === 0 ? {} : { [name]: value };
}
