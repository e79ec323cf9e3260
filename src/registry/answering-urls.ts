import type { RegistryHost } from './hosts.ts';

/** Which of a host's base URLs has answered last, for all who ask it. */
export interface AnsweringUrls {
  /** The URLs to be tried in turn: the one that has answered, or all of them. */
  of(host: RegistryHost): readonly URL[];
  note(host: RegistryHost, answering: URL): void;
  forget(host: RegistryHost): void;
}

const MAX_HOSTS = 64;

/**
 * Remembers them for as long as they answer: else each pull from a registry without TLS would begin with a handshake that
 * fails, which is half of what a pull of an image that the host has costs.
 */
export function createAnsweringUrls(): AnsweringUrls {
  const known = new Map<string, URL>();
  const keyOf = ({ baseUrls }: RegistryHost): string => baseUrls.map(({ href }) => href).join(' ');
  return {
    of(host) {
      const answering = known.get(keyOf(host));
      return answering ? [answering] : host.baseUrls;
    },
    note(host, answering) {
      if (host.baseUrls.length < 2) return;
      known.delete(keyOf(host));
      known.set(keyOf(host), answering);
      for (const oldest of known.keys()) {
        if (known.size <= MAX_HOSTS) break;
        known.delete(oldest);
      }
    },
    forget(host) {
      known.delete(keyOf(host));
    },
  };
}
