import { EngineError, isErrorKind } from '../../errors.ts';
import { formatTimeNs } from '../../lib/clock.ts';
import type { ImageConfig, ImageHistoryEntry, ImageRunConfig } from '../../oci/image-config.ts';
import { mergeConfigs } from '../../oci/merge-image-config.ts';
import { familiarString, type ImageReference } from '../../oci/reference.ts';
import { toRunConfig } from '../../oci/run-config.ts';
import { admitCommit } from '../../policy/admit-requests.ts';
import type { Container } from '../../state/container.ts';
import type { Image } from '../../state/image-store.ts';
import type { ContainerConfig } from '../../wire/container-config.ts';
import { applyChanges } from '../images/apply-changes.ts';
import { addLayer, createLayer } from '../images/create-layer.ts';
import { createImage } from '../images/create-image.ts';
import { emitImageEvent } from '../images/emit-image-event.ts';
import { keepImage, withImageWork } from '../images/image-work.ts';
import { nameNewImage } from '../images/name-new-image.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { mountPointsOf } from './mount-points.ts';
import { pauseContainer, unpauseContainer } from './pause-container.ts';
import { isLive, isPaused } from './require-running.ts';

/** How `docker commit` asks. */
export interface CommitRequest {
  readonly containerRef: string;
  /** The name of the image; it may stay without one. */
  readonly reference: ImageReference | undefined;
  readonly author: string;
  readonly comment: string;
  /** True: processes of the container are frozen while its files are read. */
  readonly pause: boolean;
  /** Takes the place of the container's configuration where it says something. */
  readonly config: ContainerConfig | undefined;
  /** Instructions of a Dockerfile that change it. */
  readonly changes: readonly string[];
}

/** `docker commit`: makes an image of what the container changed and answers its id. */
export async function commitContainer(job: Job, request: CommitRequest): Promise<string> {
  const { config } = request;
  if (config) admitCommit(config, auditedGate(job, gateContextOf(job), { verb: 'commit' }));
  const container = job.containers.resolve(request.containerRef);
  refuseEnding(container);
  const runConfig = runConfigOf(container, request);
  const report = (): void => undefined;
  return withImageWork({ job, report, signal: job.signal }, async (work) => {
    const base = job.images.get(container.record.imageId);
    if (!base) throw new EngineError('NotFound', `No such image: ${container.record.imageId}`);
    await keepImage(work, base);
    const source = { mounts: container.rootMounts, mountPoints: mountPointsOf(container) };
    const layer = await whilePaused(job, container, {
      isAsked: request.pause,
      read: () => createLayer(work, source),
    });
    const layers = await addLayer(work, base.layers, layer);
    const config = describe(base, {
      container,
      request,
      runConfig,
      isEmptyLayer: layer === undefined,
      nowNs: job.nowNs(),
    });
    const image = await createImage(work, { config, layers, parentId: base.id });
    emitImageEvent(job, 'create', { image, actorId: image.id, name: image.id });
    await nameNewImage(work, image, request.reference);
    emitContainerEvent(job, container, {
      action: 'commit',
      attributes: {
        comment: request.comment,
        imageID: image.id,
        imageRef: request.reference ? familiarString(request.reference) : '',
      },
    });
    return image.id;
  });
}

function refuseEnding(container: Container): void {
  if (container.record.state.status === 'dead')
    throw new EngineError('Conflict', `You cannot commit container ${container.id} which is Dead`);
  if (container.isRemoving)
    throw new EngineError('Conflict', `You cannot commit container ${container.id} which is being removed`);
}

function runConfigOf({ record }: Container, { config, changes }: CommitRequest): ImageRunConfig {
  const own = toRunConfig(record.config);
  const base = config ? toRunConfig(mergeConfigs(config, { config: own }).config) : own;
  return applyChanges(base, changes);
}

/** Somebody else may end the pause or the container meanwhile: what was read is then as it would be without a pause. */
async function whilePaused<T>(
  job: Job,
  container: Container,
  { isAsked, read }: { readonly isAsked: boolean; readonly read: () => Promise<T> },
): Promise<T> {
  if (!isAsked || !isLive(container) || isPaused(container)) return read();
  const isOurs = await unlessMoved(pauseContainer(job, container.id));
  try {
    return await read();
  } finally {
    if (isOurs) await unlessMoved(unpauseContainer(job, container.id));
  }
}

async function unlessMoved(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (isErrorKind(error, 'Conflict') || isErrorKind(error, 'NotFound')) return false;
    throw error;
  }
}

interface Made {
  readonly container: Container;
  readonly request: CommitRequest;
  readonly runConfig: ImageRunConfig;
  readonly isEmptyLayer: boolean;
  readonly nowNs: bigint;
}

function describe(base: Image, { container, request, runConfig, isEmptyLayer, nowNs }: Made): ImageConfig {
  const { record } = container;
  const created = formatTimeNs(nowNs);
  const step: ImageHistoryEntry = {
    created,
    createdBy: (record.config.Cmd ?? []).join(' '),
    author: request.author,
    comment: request.comment,
    emptyLayer: isEmptyLayer,
  };
  return {
    ...base.config,
    created,
    author: request.author,
    comment: request.comment,
    config: runConfig,
    origin: {
      containerId: record.id,
      hostname: record.config.Hostname,
      image: record.config.Image,
      config: toRunConfig(record.config),
    },
    history: [...base.config.history, step],
  };
}
