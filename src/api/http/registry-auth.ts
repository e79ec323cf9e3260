import { ShapeError } from '../../errors.ts';

/** What a client's X-Registry-Auth header carries. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
  readonly registryToken: string;
  /** The registry that the client means the credentials for, or empty. */
  readonly serverAddress: string;
}

const MAX_HEADER_LENGTH = 64 * 1024;
const MAX_CONFIG_LENGTH = 1024 * 1024;

/**
 * Decodes X-Registry-Auth in every flavour of base64 that clients send (standard and URL alphabet, padded or not,
 * broken into lines); undefined for absent and for empty credentials. InvalidArgument never repeats the value.
 */
export function decodeRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  const encoded = (header ?? '').replaceAll(/\s+/g, '');
  if (encoded === '' || encoded === 'null') return undefined;
  const auth = parseAuth(encoded);
  const { username, password, identityToken, registryToken } = auth;
  return `${username}${password}${identityToken}${registryToken}` === '' ? undefined : auth;
}

/**
 * Decodes X-Registry-Config: what a client has for each registry, by its host as references have it. InvalidArgument never
 * repeats the value.
 */
export function decodeRegistryConfig(header: string | undefined): ReadonlyMap<string, RegistryAuth> {
  const encoded = (header ?? '').replaceAll(/\s+/g, '');
  if (encoded === '' || encoded === 'null') return new Map();
  const members = membersOf(parseEncoded(encoded, MAX_CONFIG_LENGTH));
  return new Map(
    Object.entries(members).map(([address, value]) => [hostOf(address), readAuth(membersOf(value))]),
  );
}

// Docker Hub goes by an address of its own since there was only it.
function hostOf(address: string): string {
  const host = address.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

function parseAuth(encoded: string): RegistryAuth {
  return readAuth(membersOf(parseEncoded(encoded, MAX_HEADER_LENGTH)));
}

function readAuth(members: Readonly<Record<string, unknown>>): RegistryAuth {
  const [user = '', ...rest] = Buffer.from(text(members, 'auth'), 'base64').toString('utf8').split(':');
  return {
    username: clean(text(members, 'username')) || user,
    password: clean(text(members, 'password')) || rest.join(':'),
    identityToken: clean(text(members, 'identitytoken')),
    registryToken: clean(text(members, 'registrytoken')),
    serverAddress: text(members, 'serveraddress'),
  };
}

function parseEncoded(encoded: string, maxLength: number): unknown {
  if (encoded.length > maxLength || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(encoded)) throw invalid();
  try {
    const bytes = Buffer.from(encoded, 'base64');
    // Some clients put a byte order mark before their JSON; the decoder takes it off.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    // Without its cause: a parser's message quotes what it read.
    throw invalid();
  }
}

function membersOf(parsed: unknown): Readonly<Record<string, unknown>> {
  if (parsed === null) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw invalid();
  const members = Object.entries(parsed).map(
    ([name, value]) => [name.toLowerCase(), value as unknown] as const,
  );
  return Object.assign(Object.create(null) as Record<string, unknown>, Object.fromEntries(members));
}

function text(members: Readonly<Record<string, unknown>>, name: string): string {
  const value = members[name] ?? '';
  if (typeof value !== 'string') throw invalid();
  return value;
}

// Secrets out of files come with a byte order mark or a line end that was never meant.
function clean(value: string): string {
  return value.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
}

function invalid(): ShapeError {
  return new ShapeError('invalid X-Registry-Auth header');
}
