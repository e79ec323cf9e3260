import type { ContainerConfig, HealthConfig } from '../wire/container-config.ts';
import type { ImageHealthcheck, ImageRunConfig } from './image-config.ts';

/** What of a container's configuration its image can carry. */
export function toRunConfig(config: ContainerConfig): ImageRunConfig {
  return {
    user: config.User,
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    env: config.Env ?? [],
    entrypoint: config.Entrypoint ?? undefined,
    cmd: config.Cmd ?? undefined,
    volumes: Object.keys(config.Volumes ?? {}),
    workingDir: config.WorkingDir,
    labels: config.Labels ?? {},
    stopSignal: config.StopSignal ?? '',
    stopTimeout: config.StopTimeout,
    shell: config.Shell,
    onBuild: config.OnBuild ?? [],
    healthcheck: config.Healthcheck && toImageHealthcheck(config.Healthcheck),
  };
}

function toImageHealthcheck(check: HealthConfig): ImageHealthcheck {
  return {
    test: check.Test ?? [],
    interval: check.Interval ?? 0,
    timeout: check.Timeout ?? 0,
    startPeriod: check.StartPeriod ?? 0,
    startInterval: check.StartInterval ?? 0,
    retries: check.Retries ?? 0,
  };
}
