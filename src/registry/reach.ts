import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { EngineError } from '../errors.ts';
import { hostnameOf, isLoopbackHost } from './loopback.ts';
import { createBlockTest, isSpecialAddress } from '../lib/address-blocks.ts';

/** What the operator says about whom jobs may have berth speak to. */
export interface ReachSettings {
  /** Registries that jobs may use: `host`, `host:port` or `*.domain`; undefined: all. */
  readonly allowedRegistries?: readonly string[] | undefined;
  /** Hosts, and CIDR blocks, that may have private addresses. */
  readonly privateRegistries?: readonly string[] | undefined;
  readonly insecureRegistries: readonly string[];
}

/**
 * Whom berth speaks to for one registry: wherever redirects and token realms lead, no address that is not public, unless
 * the operator has named it. A registry on the loopback device may lead to others there.
 */
export interface Reach {
  /** Adds a host that the operator has configured for this registry. */
  trust(hostname: string): void;
  /** Throws PermissionDenied for a host that may not be spoken to, as far as its name tells. */
  check(url: URL): void;
  /**
   * The same for what a proxy will resolve: PermissionDenied for a name that leads, as far as this host knows, to nowhere
   * public. A name that this host does not know is the proxy's to judge.
   */
  checkName(url: URL): Promise<void>;
  /** Resolves names for the connection itself, to addresses that may be spoken to: what was checked is what is dialled. */
  readonly lookup: LookupFunction;
}

/** Makes the reach of a registry; PermissionDenied where jobs may not use it at all. */
export function createReachFinder(settings: ReachSettings): (domain: string) => Reach {
  const { allowedRegistries, privateRegistries = [], insecureRegistries } = settings;
  const listed = [...privateRegistries, ...insecureRegistries];
  const isListedAddress = createBlockTest(listed.filter((entry) => entry.includes('/')));
  const names = listed.filter((entry) => !entry.includes('/'));
  return (domain) => {
    const isAllowed = allowedRegistries?.some((pattern) => matches(pattern, domain));
    if (isAllowed === false)
      throw new EngineError(
        'PermissionDenied',
        `registry ${domain} is not allowed here: it is not listed in [registries] allow`,
      );
    const isTrusted = isAllowed === true || names.some((name) => matches(name, domain));
    return new RegistryReach(domain, { isTrusted, names, isListedAddress });
  };
}

interface Rules {
  readonly isTrusted: boolean;
  readonly names: readonly string[];
  readonly isListedAddress: (address: string) => boolean;
}

class RegistryReach implements Reach {
  readonly #rules: Rules;
  readonly #isLoopback: boolean;
  readonly #trusted = new Set<string>();

  constructor(domain: string, rules: Rules) {
    this.#rules = rules;
    const hostname = hostnameOf(domain);
    this.#isLoopback = isLoopbackHost(hostname);
    if (rules.isTrusted) this.#trusted.add(hostname.toLowerCase());
  }

  trust(hostname: string): void {
    this.#trusted.add(bare(hostname));
  }

  check({ hostname: written, host }: URL): void {
    const hostname = bare(written);
    if (this.#rules.names.some((name) => matches(name, host))) this.#trusted.add(hostname);
    if (this.#trusted.has(hostname)) return;
    // A name is checked when it is resolved.
    if (isIP(hostname) === 0 || this.#allows(hostname)) return;
    if (!this.#isLoopback || !isLoopbackHost(hostname)) throw refused(hostname);
  }

  checkName({ hostname }: URL): Promise<void> {
    return new Promise((resolve, reject) => {
      this.lookup(bare(hostname), { all: true }, (error) => {
        if (error instanceof EngineError) reject(error);
        else resolve();
      });
    });
  }

  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) {
        callback(error, []);
        return;
      }
      const isTrusted = this.#trusted.has(bare(hostname)) || (this.#isLoopback && isLoopbackHost(hostname));
      const allowed = addresses.filter(({ address }) => isTrusted || this.#allows(address));
      const [first] = allowed;
      if (!first) callback(refused(hostname), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };

  #allows(address: string): boolean {
    return !isSpecialAddress(address) || this.#rules.isListedAddress(address);
  }
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

/** `host` names it with every port, `*.domain` everything below the domain. */
function matches(pattern: string, domain: string): boolean {
  const [name, host] = [pattern.toLowerCase(), domain.toLowerCase()];
  if (name.startsWith('*.')) return hostnameOf(host).endsWith(name.slice(1));
  return name === host || name === hostnameOf(host);
}

function refused(hostname: string): EngineError {
  return new EngineError(
    'PermissionDenied',
    `${hostname} has an address that is not public: it can be listed in [registries] private`,
  );
}
