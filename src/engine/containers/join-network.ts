import { writeFile } from 'node:fs/promises';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import type { Sandbox, SandboxMode, SandboxRequest } from '../../network/types.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { containerPaths } from './container-paths.ts';
import { portRequestsOf } from './port-requests.ts';

/** Opens the container's network namespace, and writes the three files that depend on it. */
export async function joinNetwork(job: Job, container: Container, undo: CleanupStack): Promise<Sandbox> {
  undo.defer('network', () => job.network.closeSandbox(container.id));
  const sandbox = await job.network.openSandbox(sandboxRequestOf(container));
  container.record = { ...container.record, endpoints: sandbox.endpoints, ports: sandbox.ports };
  await writeNetworkFiles(job, container, sandbox);
  return sandbox;
}

/** What the container asks of the job's network. */
export function sandboxRequestOf(container: Container): SandboxRequest {
  return {
    containerId: container.id,
    containerName: container.record.name,
    mode: sandboxMode(container),
    sysctls: container.record.hostConfig.Sysctls ?? {},
    ports: portRequestsOf(container.record),
  };
}

function sandboxMode({ record }: Container): SandboxMode {
  if (record.config.NetworkDisabled || record.hostConfig.NetworkMode === 'none') return { kind: 'none' };
  if (record.hostConfig.NetworkMode === 'host') return { kind: 'job' };
  return { kind: 'bridge', macAddress: record.config.MacAddress ?? '' };
}

async function writeNetworkFiles(job: Job, container: Container, sandbox: Sandbox): Promise<void> {
  const { config, hostConfig } = container.record;
  const paths = containerPaths(job, container.id);
  const files = job.network.containerFiles(sandbox, {
    hostname: config.Hostname,
    domainname: config.Domainname,
    extraHosts: hostConfig.ExtraHosts ?? [],
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
