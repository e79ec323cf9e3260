import { checkLogin } from './check-login.ts';
import { createHostFinder, type HostsSettings } from './hosts.ts';
import { hostnameOf, isLoopbackHost } from './loopback.ts';
import { createHttpClient } from './http-client.ts';
import { createPushRepository } from './push-repository.ts';
import { createRepository, type RetryPolicy } from './repository.ts';
import type { Registry } from './types.ts';

/** What the operator says about registries, and about where jobs can listen. */
export interface RegistrySettings extends HostsSettings {
  readonly network: { readonly kind: string };
}

const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 500, maxDelayMs: 20_000 };

/** Registries with the operator's mirrors and exceptions; `close` ends idle connections. */
export function createRegistry(
  settings: RegistrySettings,
  retry: RetryPolicy = DEFAULT_RETRY,
): Registry & { close(): void } {
  const client = createHttpClient();
  const findHosts = createHostFinder(settings);
  return {
    isIdentified: (domain) => settings.network.kind === 'isolated' || !isLoopbackHost(hostnameOf(domain)),
    open: (access) => createRepository({ client, findHosts, retry }, access),
    openForPush: (access) => createPushRepository({ client, findHosts, retry }, access),
    login: (login) => checkLogin({ client, findHosts }, login),
    close() {
      client.close();
    },
  };
}
