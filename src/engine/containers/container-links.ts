import { EngineError, isErrorKind } from '../../errors.ts';
import { parseLink } from '../../policy/link-spec.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import type { Container, ContainerLink, ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';

const DEFAULT_BRIDGE = 'bridge';
const SHARED = 'container:';

/** A link whose container runs, with the container's address on the default bridge. */
export interface LiveLink extends ContainerLink {
  readonly target: Container;
  readonly ipAddress: string;
}

/** What `HostConfig.Links` names, on the default bridge; user networks take links as names of their own. */
export function resolveLinks(
  job: Job,
  { Links: links, NetworkMode: mode }: HostConfig,
): readonly ContainerLink[] {
  if (mode !== DEFAULT_BRIDGE) return [];
  const byAlias = new Map<string, ContainerLink>();
  for (const link of links ?? []) {
    const { target: targetRef, alias } = parseLink(link);
    const { id, record } = findTarget(job, targetRef);
    // As in dockerd, the first to take an alias keeps it.
    if (!byAlias.has(alias)) byAlias.set(alias, { containerId: id, containerName: record.name, alias });
  }
  return [...byAlias.values()];
}

function findTarget(job: Job, targetRef: string): Container {
  const resolve = (containerRef: string): Container => {
    try {
      return job.containers.resolve(containerRef);
    } catch (cause) {
      if (!isErrorKind(cause, 'NotFound')) throw cause;
      const message = `could not get container for ${targetRef}: No such container: ${containerRef}`;
      throw new EngineError('InvalidArgument', message, { cause });
    }
  };
  let target = resolve(targetRef);
  // A namespace of another container's is that one's to link to.
  while (target.record.hostConfig.NetworkMode.startsWith(SHARED))
    target = resolve(target.record.hostConfig.NetworkMode.slice(SHARED.length));
  if (target.record.hostConfig.NetworkMode === 'host')
    throw new EngineError(
      'InvalidArgument',
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  return target;
}

/** `HostConfig.Links` as dockerd shows it, with the names that the containers have now. */
export function describeLinks(job: Job, { name, links }: ContainerRecord): readonly string[] | null {
  if (links.length === 0) return null;
  return links.map((link) => `/${nameOf(job, link)}:/${name}/${link.alias}`);
}

/** The names `/container/alias` by which others know a container, by its id; one without any is not in it. */
export function allLinkNames(job: Job): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { record } of job.containers.list())
    for (const { containerId, alias } of record.links) {
      const others = names.get(containerId) ?? [];
      others.push(`/${record.name}/${alias}`);
      names.set(containerId, others);
    }
  return names;
}

function nameOf(job: Job, { containerId, containerName }: ContainerLink): string {
  return job.containers.get(containerId)?.record.name ?? containerName;
}

/** The container's links, whose containers must run and be on the default bridge. */
export function liveLinks(job: Job, { record }: Container): readonly LiveLink[] {
  return record.links.map((link) => liveLink(job, record, link));
}

/** As `liveLinks`, for a container that runs already: what cannot be reached now is left out. */
export function reachableLinks(job: Job, { record }: Container): readonly LiveLink[] {
  return record.links.flatMap((link) => {
    try {
      return [liveLink(job, record, link)];
    } catch {
      return [];
    }
  });
}

function liveLink(job: Job, { name }: ContainerRecord, link: ContainerLink): LiveLink {
  const target = job.containers.get(link.containerId);
  const shown = `/${nameOf(job, link)}`;
  if (target?.record.state.status !== 'running')
    throw new EngineError(
      'Internal',
      `Cannot link to a non running container: ${shown} AS /${name}/${link.alias}`,
    );
  const endpoint = new Map(Object.entries(target.record.endpoints)).get(DEFAULT_BRIDGE);
  if (!endpoint)
    throw new EngineError(
      'Internal',
      `Cannot link to ${shown}, as it does not belong to the default network`,
    );
  return { ...link, target, ipAddress: endpoint.ipAddress };
}

/** Running containers that have a link to this one. */
export function linkingContainers(job: Job, { id }: Container): readonly Container[] {
  return job.containers
    .all()
    .filter(({ run, record }) => run && record.links.some(({ containerId }) => containerId === id));
}

/** Lines of the hosts file: alias, host name and name of each linked container. */
export function linkHosts(
  links: readonly LiveLink[],
): readonly { readonly address: string; readonly names: readonly string[] }[] {
  return links.map(({ alias, ipAddress, target: { record } }) => ({
    address: ipAddress,
    names: [...new Set([alias, record.config.Hostname, record.name])].filter((name) => name !== ''),
  }));
}
