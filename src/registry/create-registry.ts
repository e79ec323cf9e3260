import { createHostFinder, type HostsSettings } from './hosts.ts';
import { createHttpClient } from './http-client.ts';
import { createRepository, type RetryPolicy } from './repository.ts';
import type { Registry } from './types.ts';

const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 500, maxDelayMs: 20_000 };

/** Registries with the operator's mirrors and exceptions; `close` ends idle connections. */
export function createRegistry(
  settings: HostsSettings,
  retry: RetryPolicy = DEFAULT_RETRY,
): Registry & { close(): void } {
  const client = createHttpClient();
  const findHosts = createHostFinder(settings);
  return {
    open: (access) => createRepository({ client, findHosts, retry }, access),
    close() {
      client.close();
    },
  };
}
