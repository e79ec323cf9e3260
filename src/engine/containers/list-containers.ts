import { isErrorKind } from '../../errors.ts';
import type { Container } from '../../state/container.ts';
import type { ContainerSummary } from '../../wire/container-summary.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import type { Filters } from '../filters.ts';
import { resolveImage } from '../images/resolve-image.ts';
import type { Job } from '../job.ts';
import { allLinkNames } from './container-links.ts';
import { describeMount } from './describe-mounts.ts';
import { describeNetworks } from './describe-networks.ts';
import { describeStatus, statusOf } from './describe-state.ts';
import { selectContainers } from './list-filters.ts';
import { summarizePorts } from './list-ports.ts';
import { measureSize } from './measure-size.ts';
import { isLive } from './require-running.ts';

/** What `GET /containers/json` asks for. */
export interface ListOptions {
  readonly all: boolean;
  /** Most containers to show, stopped ones included; 0 or less is no limit. */
  readonly limit: number;
  readonly includeSize: boolean;
  readonly filters: Filters;
}

/** `GET /containers/json`: newest first. */
export async function listContainers(job: Job, options: ListOptions): Promise<readonly ContainerSummary[]> {
  const selection = selectContainers(job, options.filters);
  const includesStopped = options.all || options.limit > 0 || selection.includesStopped;
  const selected = job.containers
    .list()
    .filter((container) => (includesStopped || isLive(container)) && selection.matches(container));
  const shown = options.limit > 0 ? selected.slice(0, options.limit) : selected;
  const shared: Shared = { linkNames: allLinkNames(job), imageIds: new Map() };
  if (!options.includeSize) return shown.map((container) => summarize(job, container, shared));
  const sizes = await Promise.all(shown.map((container) => sizesUnlessGone(job, container)));
  return shown.flatMap((container, index) => {
    const size = sizes[index];
    return size ? [{ ...summarize(job, container, shared), ...size }] : [];
  });
}

/** What is looked up once for all containers of a list: for each, it was most of the time that a long one takes. */
interface Shared {
  readonly linkNames: ReturnType<typeof allLinkNames>;
  /** What a name leads to now: the image's id, if there is one. */
  readonly imageIds: Map<string, string | undefined>;
}

function summarize(job: Job, container: Container, { linkNames, imageIds }: Shared): ContainerSummary {
  const { record } = container;
  return {
    Id: record.id,
    Names: [`/${record.name}`, ...(linkNames.get(record.id) ?? [])],
    Image: shownImage(job, container, imageIds),
    ImageID: record.imageId,
    Command: record.argv.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg)).join(' '),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: summarizePorts(container),
    Labels: record.config.Labels ?? {},
    State: statusOf(container),
    Status: describeStatus(container, Number(job.nowNs() / 1_000_000n)),
    HostConfig: summarizeHostConfig(record.hostConfig),
    NetworkSettings: { Networks: summarizeNetworks(job, container) },
    // dockerd's list shows where a volume is once it has been mounted.
    Mounts: record.mounts.map((mount) => ({
      ...describeMount(mount),
      ...(mount.type === 'volume' && record.state.status === 'created' ? { Source: '' } : {}),
    })),
  };
}

function summarizeHostConfig({ NetworkMode, Annotations }: HostConfig): ContainerSummary['HostConfig'] {
  return { NetworkMode, ...(Annotations === undefined ? {} : { Annotations }) };
}

/** The list has the addresses of the networks, and not the names on them. */
function summarizeNetworks(job: Job, container: Container): ReturnType<typeof describeNetworks> {
  const networks = Object.entries(describeNetworks(job, container));
  const nameless = { Aliases: null, DNSNames: null, Links: null, DriverOpts: null };
  return Object.fromEntries(networks.map(([name, endpoint]) => [name, { ...endpoint, ...nameless }]));
}

// A size of 0 is left out of the list, as dockerd does; a container removed meanwhile is left out altogether.
async function sizesUnlessGone(
  job: Job,
  container: Container,
): Promise<Pick<ContainerSummary, 'SizeRw' | 'SizeRootFs'> | undefined> {
  try {
    const { rwBytes, rootFsBytes } = await measureSize(job, container);
    return {
      ...(rwBytes === 0 ? {} : { SizeRw: rwBytes }),
      ...(rootFsBytes === 0 ? {} : { SizeRootFs: rootFsBytes }),
    };
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** What the user typed at create while it still leads to the same image, else the image's id. */
function shownImage(job: Job, { record }: Container, imageIds: Shared['imageIds']): string {
  const { config, imageId } = record;
  if (!imageIds.has(config.Image)) imageIds.set(config.Image, findImageId(job, config.Image));
  return imageIds.get(config.Image) === imageId ? config.Image : imageId;
}

function findImageId(job: Job, imageRef: string): string | undefined {
  try {
    return resolveImage(job, imageRef).id;
  } catch (error) {
    if (isErrorKind(error, 'NotFound') || isErrorKind(error, 'InvalidArgument')) return undefined;
    throw error;
  }
}
