import { parse, type TomlTable, type TomlValue } from 'smol-toml';
import { EngineError } from '../errors.ts';
import type { HostCapability } from './hosts.ts';

/** One host of a hosts.toml; certificates are still paths. */
export interface HostsFileEntry {
  /** Base URL of the API, undefined for a server that the file does not name. */
  readonly url: URL | undefined;
  readonly capabilities: ReadonlySet<HostCapability> | undefined;
  readonly skipVerify: boolean;
  readonly ca: readonly string[];
  readonly clientCertificates: readonly { readonly cert: string; readonly key: string }[];
  readonly headers: Readonly<Record<string, string>>;
}

/** What a hosts.toml says: the registry itself and its mirrors in the file's order. */
export interface HostsFile {
  readonly server: HostsFileEntry;
  readonly mirrors: readonly HostsFileEntry[];
}

const capabilityNames: ReadonlySet<string> = new Set(['pull', 'resolve', 'push']);

/** Reads containerd's hosts.toml; Internal with the file's name when it is not one (it is the operator's, not a client's). */
export function parseHostsFile(text: string, path: string): HostsFile {
  let root: TomlTable;
  try {
    root = parse(text);
  } catch (cause) {
    throw broken(path, 'not TOML', cause);
  }
  const hosts = root['host'] ?? {};
  if (!isTable(hosts)) throw broken(path, 'host is not a table');
  const server = root['server'];
  if (server !== undefined && typeof server !== 'string') throw broken(path, 'server is not a string');
  const reader = new EntryReader(path);
  return {
    server: reader.read(server, root),
    mirrors: Object.entries(hosts).map(([url, table]) => {
      if (!isTable(table)) throw broken(path, `host."${url}" is not a table`);
      return reader.read(url, table);
    }),
  };
}

class EntryReader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  read(url: string | undefined, table: TomlTable): HostsFileEntry {
    return {
      url: url === undefined || url === '' ? undefined : this.#baseUrl(url, table['override_path'] === true),
      capabilities: this.#capabilities(table['capabilities']),
      skipVerify: table['skip_verify'] === true,
      ca: this.#strings(table['ca'], 'ca'),
      clientCertificates: this.#clientCertificates(table['client']),
      headers: this.#headers(table['header']),
    };
  }

  #baseUrl(text: string, isPathKept: boolean): URL {
    const full = text.includes('://') ? text : `https://${text}`;
    if (!URL.canParse(full)) throw broken(this.#path, `"${text}" is not a URL`);
    const url = new URL(full);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw broken(this.#path, `"${text}" is not http(s)`);
    const path = url.pathname.replace(/\/+$/, '');
    url.pathname = isPathKept || path.endsWith('/v2') ? path : `${path}/v2`;
    return url;
  }

  #capabilities(value: TomlValue | undefined): ReadonlySet<HostCapability> | undefined {
    if (value === undefined) return undefined;
    const names = this.#strings(value, 'capabilities');
    const isCapability = (name: string): name is HostCapability => capabilityNames.has(name);
    if (!names.every(isCapability)) throw broken(this.#path, 'an unknown capability');
    return new Set(names);
  }

  // A path to one file with both, several of these, or pairs of certificate and key.
  #clientCertificates(value: TomlValue | undefined): HostsFileEntry['clientCertificates'] {
    if (value === undefined) return [];
    const items = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(items)) throw broken(this.#path, 'client is not a list');
    return items.map((item: TomlValue) => {
      if (typeof item === 'string') return { cert: item, key: item };
      const [cert, key] = this.#strings(item, 'client');
      if (cert === undefined) throw broken(this.#path, 'client has an empty pair');
      return { cert, key: key === undefined || key === '' ? cert : key };
    });
  }

  #headers(value: TomlValue | undefined): Readonly<Record<string, string>> {
    if (value === undefined) return {};
    if (!isTable(value)) throw broken(this.#path, 'header is not a table');
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name.toLowerCase(),
        this.#strings(item, 'header').join(', '),
      ]),
    );
  }

  #strings(value: TomlValue | undefined, name: string): readonly string[] {
    if (value === undefined) return [];
    if (typeof value === 'string') return [value];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw broken(this.#path, `${name} is not a list of strings`);
  }
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

function broken(path: string, why: string, cause?: unknown): EngineError {
  return new EngineError(
    'Internal',
    `registry configuration ${path.split('/').slice(-2).join('/')}: ${why}`,
    { cause },
  );
}
