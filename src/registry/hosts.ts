import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../errors.ts';
import { parseHostsFile, type HostsFileEntry } from './hosts-file.ts';
import type { TlsOptions } from './http-client.ts';
import { createInsecureTest } from './loopback.ts';

/** What a host may be asked for. */
export type HostCapability = 'pull' | 'resolve' | 'push';

/** One place to ask for a registry's content: a mirror or the registry itself. */
export interface RegistryHost {
  /** Base URLs of the API in the order of trying (`https://host/v2`): https first, then http where that is allowed. */
  readonly baseUrls: readonly URL[];
  /** True for the registry itself: only there go the client's credentials. */
  readonly isOrigin: boolean;
  /** True where the operator has written its address down. */
  readonly isConfigured: boolean;
  readonly capabilities: ReadonlySet<HostCapability>;
  readonly tls: TlsOptions;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the operator has set up. */
export interface HostsSettings {
  /** containerd's certs.d directory. */
  readonly registriesDir: string | undefined;
  readonly insecureRegistries: readonly string[];
}

const DOCKER_HUB_HOST = 'registry-1.docker.io';
const ALL_CAPABILITIES: ReadonlySet<HostCapability> = new Set(['pull', 'resolve', 'push']);

/** Finds the hosts of a domain in the order in which they are tried, the registry itself last. */
export function createHostFinder(
  settings: HostsSettings,
): (domain: string) => Promise<readonly RegistryHost[]> {
  const isInsecure = createInsecureTest(settings.insecureRegistries);
  return async (domain) => {
    const file = await findHostsFile(settings.registriesDir, domain);
    if (file === undefined) return [defaultOrigin(domain, isInsecure(domain))];
    const { server, mirrors } = parseHostsFile(file.text, file.path);
    const directory = dirname(file.path);
    const hosts = await Promise.all(mirrors.map((mirror) => toHost(mirror, directory, false)));
    const origin =
      server.url === undefined
        ? {
            ...(await toHost({ ...server, url: originUrls(domain, false)[0] }, directory, true)),
            ...insecureUrls(domain, isInsecure(domain)),
            isConfigured: !file.isDefault,
          }
        : await toHost(server, directory, true);
    return [...hosts, origin];
  };
}

function insecureUrls(domain: string, isInsecure: boolean): Pick<RegistryHost, 'baseUrls'> {
  return { baseUrls: originUrls(domain, isInsecure) };
}

function defaultOrigin(domain: string, isInsecure: boolean): RegistryHost {
  return {
    baseUrls: originUrls(domain, isInsecure),
    isOrigin: true,
    isConfigured: false,
    capabilities: ALL_CAPABILITIES,
    tls: { ca: [], clientCertificates: [], skipVerify: isInsecure },
    headers: {},
  };
}

function originUrls(domain: string, isInsecure: boolean): readonly URL[] {
  const host = domain === 'docker.io' ? DOCKER_HUB_HOST : domain;
  const https = new URL(`https://${host}/v2`);
  return isInsecure ? [https, new URL(`http://${host}/v2`)] : [https];
}

async function toHost(entry: HostsFileEntry, directory: string, isOrigin: boolean): Promise<RegistryHost> {
  return {
    baseUrls: entry.url === undefined ? [] : [entry.url],
    isOrigin,
    isConfigured: true,
    capabilities: entry.capabilities ?? ALL_CAPABILITIES,
    tls: {
      skipVerify: entry.skipVerify,
      ca: await Promise.all(entry.ca.map((path) => readCertificate(directory, path))),
      clientCertificates: await Promise.all(
        entry.clientCertificates.map(async ({ cert, key }) => ({
          cert: await readCertificate(directory, cert),
          key: await readCertificate(directory, key),
        })),
      ),
    },
    headers: entry.headers,
  };
}

async function readCertificate(directory: string, path: string): Promise<Buffer> {
  const full = path.startsWith('/') ? path : join(directory, path);
  try {
    return await readFile(full);
  } catch (cause) {
    throw new EngineError('Internal', 'a certificate of the registry configuration cannot be read', {
      cause,
    });
  }
}

// containerd's order: a directory for the host (a port as `host_port_`), then `_default`.
async function findHostsFile(
  registriesDir: string | undefined,
  domain: string,
): Promise<{ readonly path: string; readonly text: string; readonly isDefault: boolean } | undefined> {
  if (registriesDir === undefined) return undefined;
  const withPort = domain.replace(/:(\d+)$/, '_$1_');
  for (const name of new Set([withPort, domain, '_default'])) {
    const path = join(registriesDir, name, 'hosts.toml');
    try {
      return { path, text: await readFile(path, 'utf8'), isDefault: name === '_default' };
    } catch (cause) {
      if (!isAbsent(cause))
        throw new EngineError('Internal', `registry configuration of ${domain} cannot be read`, { cause });
    }
  }
  return undefined;
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
