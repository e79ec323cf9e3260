import { EngineError } from '../../errors.ts';

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

function parseAuth(encoded: string): RegistryAuth {
  if (encoded.length > MAX_HEADER_LENGTH || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(encoded)) throw invalid();
  const members = toObject(Buffer.from(encoded, 'base64'));
  const [user = '', ...rest] = Buffer.from(text(members, 'auth'), 'base64').toString('utf8').split(':');
  return {
    username: clean(text(members, 'username')) || user,
    password: clean(text(members, 'password')) || rest.join(':'),
    identityToken: clean(text(members, 'identitytoken')),
    registryToken: clean(text(members, 'registrytoken')),
    serverAddress: text(members, 'serveraddress'),
  };
}

function toObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    // Some clients put a byte order mark before their JSON; the decoder takes it off.
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Without its cause: a parser's message quotes what it read.
    throw invalid();
  }
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

function invalid(): EngineError {
  return new EngineError('InvalidArgument', 'invalid X-Registry-Auth header');
}
