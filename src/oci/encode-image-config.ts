import type { ImageConfig, ImageHealthcheck, ImageRunConfig } from './image-config.ts';

/** The JSON of an image configuration, as registries and other engines read it; `parseImageConfig` reads it back. */
export function encodeImageConfig(image: ImageConfig): Uint8Array {
  const { platform, origin } = image;
  const document = {
    architecture: platform.architecture,
    ...nonEmpty('variant', platform.variant),
    os: platform.os,
    ...nonEmpty('os.version', image.osVersion),
    ...nonEmpty('created', image.created),
    ...nonEmpty('author', image.author),
    ...nonEmpty('comment', image.comment),
    ...nonEmpty('docker_version', image.dockerVersion),
    config: encodeRunConfig(image.config),
    ...(origin
      ? {
          container: origin.containerId,
          container_config: {
            Hostname: origin.hostname,
            Image: origin.image,
            ...encodeRunConfig(origin.config),
          },
        }
      : {}),
    rootfs: { type: 'layers', diff_ids: image.diffIds },
    history: image.history.map(({ created, createdBy, author, comment, emptyLayer }) => ({
      ...nonEmpty('created', created),
      ...nonEmpty('created_by', createdBy),
      ...nonEmpty('author', author),
      ...nonEmpty('comment', comment),
      ...(emptyLayer ? { empty_layer: true } : {}),
    })),
  };
  return new TextEncoder().encode(JSON.stringify(document));
}

function encodeRunConfig(config: ImageRunConfig): object {
  return {
    ...nonEmpty('User', config.user),
    ...names('ExposedPorts', config.exposedPorts),
    Env: config.env,
    ...(config.entrypoint ? { Entrypoint: config.entrypoint } : {}),
    ...(config.cmd ? { Cmd: config.cmd } : {}),
    ...names('Volumes', config.volumes),
    ...nonEmpty('WorkingDir', config.workingDir),
    ...(Object.keys(config.labels).length > 0 ? { Labels: config.labels } : {}),
    ...nonEmpty('StopSignal', config.stopSignal),
    ...(config.stopTimeout === undefined ? {} : { StopTimeout: config.stopTimeout }),
    ...(config.shell ? { Shell: config.shell } : {}),
    ...(config.onBuild.length > 0 ? { OnBuild: config.onBuild } : {}),
    ...(config.healthcheck ? { Healthcheck: encodeHealthcheck(config.healthcheck) } : {}),
  };
}

function encodeHealthcheck(check: ImageHealthcheck): object {
  return {
    ...(check.test.length > 0 ? { Test: check.test } : {}),
    ...positive('Interval', check.interval),
    ...positive('Timeout', check.timeout),
    ...positive('StartPeriod', check.startPeriod),
    ...positive('StartInterval', check.startInterval),
    ...positive('Retries', check.retries),
  };
}

function nonEmpty(name: string, value: string): Readonly<Record<string, string>> {
  return value === '' ? {} : { [name]: value };
}

function positive(name: string, value: number): Readonly<Record<string, number>> {
  return value > 0 ? { [name]: value } : {};
}

function names(name: string, keys: readonly string[]): object {
  return keys.length === 0 ? {} : { [name]: Object.fromEntries(keys.map((key) => [key, {}])) };
}
