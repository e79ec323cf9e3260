import { copyFile, writeFile } from 'node:fs/promises';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import type { Sandbox, SandboxRequest } from '../../network/types.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { emitMembership } from '../networks/emit-network-event.ts';
import { linkHosts, linkingContainers, liveLinks, reachableLinks } from './container-links.ts';
import { containerPaths } from './container-paths.ts';
import { sandboxModeOf } from './container-networks.ts';
import { portRequestsOf } from './port-requests.ts';

/** Opens the container's network namespace, and writes the three files that depend on it. */
export async function joinNetwork(job: Job, container: Container, undo: CleanupStack): Promise<Sandbox> {
  liveLinks(job, container);
  undo.defer('network', () => job.network.closeSandbox(container.id));
  const sandbox = await job.network.openSandbox(sandboxRequestOf(container));
  container.record = { ...container.record, endpoints: sandbox.endpoints, ports: sandbox.ports };
  emitMembership(job, container, 'connect');
  undo.defer('membership', () => {
    emitMembership(job, container, 'disconnect');
  });
  const { mode } = sandboxRequestOf(container);
  if (mode.kind === 'container') await copyNetworkFiles(job, { from: mode.containerId, to: container.id });
  else await writeNetworkFiles(job, container, sandbox);
  return sandbox;
}

/** What the container asks of the job's network. */
export function sandboxRequestOf(container: Container): SandboxRequest {
  return {
    containerId: container.id,
    containerName: container.record.name,
    mode: sandboxModeOf(container),
    sysctls: container.record.hostConfig.Sysctls ?? {},
    ports: portRequestsOf(container.record),
    nameServers: container.record.hostConfig.Dns ?? [],
  };
}

/** Tells the running containers that have a link to this one where it is now. */
export async function tellLinkingContainers(job: Job, container: Container): Promise<void> {
  for (const other of linkingContainers(job, container))
    await job.containers.lock.run(other.id, async () => {
      const sandbox = other.run && job.network.sandboxOf(other.id);
      if (sandbox) await writeNetworkFiles(job, other, sandbox);
    });
}

async function copyNetworkFiles(
  job: Job,
  ids: { readonly from: string; readonly to: string },
): Promise<void> {
  const [from, to] = [containerPaths(job, ids.from), containerPaths(job, ids.to)];
  await Promise.all([
    copyFile(from.hosts, to.hosts),
    copyFile(from.hostname, to.hostname),
    copyFile(from.resolvConf, to.resolvConf),
  ]);
}

/** Writes the files of an open sandbox: in place, for the container has them mounted. */
export async function writeNetworkFiles(job: Job, container: Container, sandbox: Sandbox): Promise<void> {
  const { config, hostConfig } = container.record;
  const paths = containerPaths(job, container.id);
  const files = job.network.containerFiles(sandbox, {
    hostname: config.Hostname,
    domainname: config.Domainname,
    extraHosts: hostConfig.ExtraHosts ?? [],
    linkedHosts: linkHosts(reachableLinks(job, container)),
    dns: hostConfig.Dns ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
  });
  await Promise.all([
    writeFile(paths.hosts, files.hosts, { mode: 0o644 }),
    writeFile(paths.hostname, files.hostname, { mode: 0o644 }),
    writeFile(paths.resolvConf, files.resolvConf, { mode: 0o644 }),
  ]);
}
