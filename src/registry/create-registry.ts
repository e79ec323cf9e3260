import { createAnsweringUrls } from './answering-urls.ts';
import { checkLogin } from './check-login.ts';
import { createHostFinder, type HostsSettings } from './hosts.ts';
import { createHttpClients } from './http-client.ts';
import { hostnameOf, isLoopbackHost } from './loopback.ts';
import { createNodeCredentials } from './node-credentials.ts';
import { createPushRepository } from './push-repository.ts';
import { createProxyFinder, type ProxySettings } from './proxies.ts';
import { createReachFinder, type ReachSettings } from './reach.ts';
import { createRepository, type RepositoryParts, type RetryPolicy } from './repository.ts';
import type { Registry, RepositoryAccess } from './types.ts';

/** What the operator says about registries, and about where jobs can listen. */
export interface RegistrySettings extends HostsSettings, ReachSettings {
  readonly network?: { readonly kind: string };
  /** Proxies on the way to registries. */
  readonly proxies?: ProxySettings;
  /** The node's own credentials, in docker's config.json. */
  readonly registryCredentials?: string | undefined;
}

const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 500, maxDelayMs: 20_000 };

/** Registries with the operator's mirrors and exceptions; `close` ends idle connections. */
export function createRegistry(
  settings: RegistrySettings,
  retry: RetryPolicy = DEFAULT_RETRY,
): Registry & { close(): void } {
  const clients = createHttpClients(settings.proxies && createProxyFinder(settings.proxies));
  const findHosts = createHostFinder(settings);
  const answering = createAnsweringUrls();
  const findReach = createReachFinder(settings);
  const nodeCredentials = createNodeCredentials(settings.registryCredentials);
  const partsFor = (domain: string): RepositoryParts => {
    const reach = findReach(domain);
    return {
      client: clients.forRegistry(domain, reach),
      retry,
      answering,
      async findHosts(name) {
        const hosts = await findHosts(name);
        for (const { isConfigured, baseUrls } of hosts)
          if (isConfigured) for (const { hostname } of baseUrls) reach.trust(hostname);
        return hosts;
      },
    };
  };
  // For pulls alone: what the node may write is no job's to change.
  const withCredentials = (access: RepositoryAccess): RepositoryAccess => {
    const credentials = access.credentials ?? nodeCredentials(access.reference);
    return credentials ? { ...access, credentials } : access;
  };
  return {
    isIdentified: (domain) =>
      (settings.network?.kind ?? 'isolated') === 'isolated' || !isLoopbackHost(hostnameOf(domain)),
    open: (access) => createRepository(partsFor(access.reference.domain), withCredentials(access)),
    openForPush: (access) => createPushRepository(partsFor(access.reference.domain), access),
    login: (login) => checkLogin(partsFor(login.domain), login),
    close() {
      clients.close();
    },
  };
}
