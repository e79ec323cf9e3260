import { formatTimeNs } from '../../lib/clock.ts';
import type { Image } from '../../state/image-store.ts';
import type { ContainerConfig, EmptyObject, HealthConfig } from '../../wire/container-config.ts';
import type { ImageInspect } from '../../wire/image-inspect.ts';
import {
  NO_RUN_CONFIG,
  type ImageHealthcheck,
  type ImageOrigin,
  type ImageRunConfig,
} from '../../oci/image-config.ts';
import type { Job } from '../job.ts';
import { repoNamesOf } from './image-names.ts';
import { resolveForPlatform } from './held-index.ts';
import { describeTarget, summarizeManifests } from './summarize-manifests.ts';

const NO_TIME = '0001-01-01T00:00:00Z';

/** How `docker image inspect` asks. */
export interface InspectImageOptions {
  /** As typed after `--platform`, or empty. */
  readonly platform: string;
  /** True: tell of all manifests that its name leads to. */
  readonly withManifests: boolean;
}

/** `docker image inspect`: everything that is known of an image. */
export async function inspectImage(
  job: Job,
  imageRef: string,
  { platform = '', withManifests = false }: Partial<InspectImageOptions> = {},
): Promise<ImageInspect> {
  const image = await resolveForPlatform(job, imageRef, platform);
  const { config } = image;
  const { repoTags, repoDigests } = repoNamesOf(job, image);
  return {
    Id: image.id,
    RepoTags: repoTags,
    RepoDigests: repoDigests,
    Parent: image.parentId,
    Comment: config.comment,
    Created: config.created === '' ? NO_TIME : config.created,
    Container: config.origin?.containerId ?? '',
    ContainerConfig: originConfig(config.origin),
    DockerVersion: config.dockerVersion,
    Author: config.author,
    Config: toContainerConfig(config.config),
    Architecture: config.platform.architecture,
    ...(config.platform.variant === '' ? {} : { Variant: config.platform.variant }),
    Os: config.platform.os,
    ...(config.osVersion === '' ? {} : { OsVersion: config.osVersion }),
    Size: image.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    GraphDriver: { Name: job.store.snapshots.snapshotter, Data: null },
    RootFS: { Type: 'layers', Layers: config.diffIds },
    Metadata: { LastTagTime: lastTagTime(job, image) },
    Descriptor: platform === '' ? describeTarget(job, image) : image.manifest,
    ...(withManifests ? { Manifests: await summarizeManifests(job, image) } : {}),
  };
}

function lastTagTime(job: Job, image: Image): string {
  const times = job.images
    .namesOf(image.id)
    .filter(({ kind }) => kind === 'tag')
    .map(({ taggedAt }) => taggedAt.getTime());
  return times.length === 0 ? NO_TIME : formatTimeNs(BigInt(Math.max(...times)) * 1_000_000n);
}

function originConfig(origin: ImageOrigin | undefined): ContainerConfig {
  const config = toContainerConfig(origin?.config ?? NO_RUN_CONFIG);
  const { Env: env } = config;
  const known = { Hostname: origin?.hostname ?? '', Image: origin?.image ?? '' };
  return { ...config, ...known, Env: env?.length === 0 ? null : env };
}

function toContainerConfig(config: ImageRunConfig): ContainerConfig {
  return {
    Hostname: '',
    Domainname: '',
    User: config.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.exposedPorts.length > 0 ? { ExposedPorts: toSet(config.exposedPorts) } : {}),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.env,
    Cmd: config.cmd ?? null,
    ...(config.healthcheck ? { Healthcheck: toHealthConfig(config.healthcheck) } : {}),
    Image: '',
    Volumes: config.volumes.length > 0 ? toSet(config.volumes) : null,
    WorkingDir: config.workingDir,
    Entrypoint: config.entrypoint ?? null,
    OnBuild: config.onBuild.length > 0 ? config.onBuild : null,
    Labels: Object.keys(config.labels).length > 0 ? config.labels : null,
    ...(config.stopSignal === '' ? {} : { StopSignal: config.stopSignal }),
    ...(config.stopTimeout === undefined ? {} : { StopTimeout: config.stopTimeout }),
    ...(config.shell ? { Shell: config.shell } : {}),
  };
}

function toSet(names: readonly string[]): Readonly<Record<string, EmptyObject>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function toHealthConfig(check: ImageHealthcheck): HealthConfig {
  return {
    Test: check.test,
    ...(check.interval > 0 ? { Interval: check.interval } : {}),
    ...(check.timeout > 0 ? { Timeout: check.timeout } : {}),
    ...(check.startPeriod > 0 ? { StartPeriod: check.startPeriod } : {}),
    ...(check.startInterval > 0 ? { StartInterval: check.startInterval } : {}),
    ...(check.retries > 0 ? { Retries: check.retries } : {}),
  };
}
