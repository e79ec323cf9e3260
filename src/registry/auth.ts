import { EngineError } from '../errors.ts';
import { statusError, parseErrorDetails } from './errors.ts';
import { readText, type HttpClient, type TlsOptions } from './http-client.ts';
import type { RegistryCredentials } from './types.ts';

/** A challenge of a WWW-Authenticate header. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  readonly parameters: ReadonlyMap<string, string>;
}

/** What a token is asked for with. */
export interface TokenRequest {
  /** The registry that sent the challenge. */
  readonly registryUrl: URL;
  /** `repository:name:pull`; several are separated by blanks; empty for a login. */
  readonly scope: string;
  readonly familiarName: string;
  /** Undefined: anonymous. */
  readonly credentials: RegistryCredentials | undefined;
  readonly tls: TlsOptions;
  readonly signal: AbortSignal;
}

const MAX_TOKEN_BYTES = 1024 * 1024;
const MAX_HEADER_LENGTH = 16 * 1024;
const CLIENT_ID = 'berth';

/** Reads a WWW-Authenticate header; schemes that we do not speak are left out. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?\s*,?\s*/y;
  const text = header.slice(0, MAX_HEADER_LENGTH).trim();
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) break;
    const [, name = '', quoted, plain] = match;
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges.flatMap(({ scheme, parameters }) =>
    scheme === 'basic' || scheme === 'bearer' ? [{ scheme, parameters }] : [],
  );
}

/** The Authorization header that answers a registry's challenge; Unauthenticated when we have nothing to answer with. */
export async function answerChallenge(
  client: HttpClient,
  challenges: readonly Challenge[],
  request: TokenRequest,
): Promise<string> {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer) {
    const ready = request.credentials?.registryToken ?? '';
    return `Bearer ${ready === '' ? await fetchToken(client, bearer, request) : ready}`;
  }
  const basic = basicHeader(request.credentials);
  if (challenges.length > 0 && basic !== undefined) return basic;
  throw new EngineError('Unauthenticated', 'no basic auth credentials');
}

async function fetchToken(client: HttpClient, challenge: Challenge, request: TokenRequest): Promise<string> {
  const realm = parseRealm(challenge.parameters.get('realm') ?? '', request.registryUrl);
  const service = challenge.parameters.get('service') ?? '';
  const identityToken = request.credentials?.identityToken ?? '';
  const parameters = new URLSearchParams(service === '' ? {} : { service });
  const scopes = request.scope.split(' ').filter((scope) => scope !== '');
  for (const scope of scopes) parameters.append('scope', scope);
  const shared = { tls: realm.origin === request.registryUrl.origin ? request.tls : strictTls(request.tls) };
  const answer =
    identityToken === ''
      ? await client.send({
          method: 'GET',
          url: withQuery(realm, parameters),
          headers: basicAsHeaders(request.credentials),
          signal: request.signal,
          ...shared,
        })
      : await client.send({
          method: 'POST',
          url: realm,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: refreshForm(parameters, identityToken),
          signal: request.signal,
          ...shared,
        });
  const text = await readText(answer, MAX_TOKEN_BYTES);
  if (answer.status !== 200)
    throw statusError({
      familiarName: request.familiarName,
      tagOrDigest: '',
      status: answer.status,
      details: tokenErrorDetails(answer.status, text),
    });
  return parseToken(text);
}

// Credentials must not be fished for by a challenge: a realm is https, or the registry's own host.
function parseRealm(text: string, registryUrl: URL): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username !== '' || url.password !== '' || !isTrustedRealm(url, registryUrl))
    // Not that the client lacks a login: it would ask its user for one.
    throw new EngineError(
      'PermissionDenied',
      `refused the token server of ${registryUrl.host}: it is neither https nor the same host`,
    );
  return url;
}

function isTrustedRealm(realm: URL, registryUrl: URL): boolean {
  if (realm.protocol === 'https:') return true;
  return (
    realm.protocol === 'http:' && registryUrl.protocol === 'http:' && realm.hostname === registryUrl.hostname
  );
}

function strictTls(tls: TlsOptions): TlsOptions {
  return { ca: tls.ca, clientCertificates: [], skipVerify: false };
}

function withQuery(realm: URL, parameters: URLSearchParams): URL {
  const url = new URL(realm);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return url;
}

function refreshForm(parameters: URLSearchParams, identityToken: string): string {
  const form = new URLSearchParams(parameters);
  // OAuth's form has one list, where the query repeats the name.
  if (parameters.has('scope')) form.set('scope', parameters.getAll('scope').join(' '));
  form.set('grant_type', 'refresh_token');
  form.set('client_id', CLIENT_ID);
  form.set('refresh_token', identityToken);
  return form.toString();
}

function basicHeader(credentials: RegistryCredentials | undefined): string | undefined {
  if (!credentials || (credentials.username === '' && credentials.password === '')) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

function basicAsHeaders(credentials: RegistryCredentials | undefined): Readonly<Record<string, string>> {
  const basic = basicHeader(credentials);
  return basic === undefined ? {} : { authorization: basic };
}

// A token server that says no with a plain 401 or 403 means: wrong credentials, not an unknown repository.
function tokenErrorDetails(status: number, text: string): ReturnType<typeof parseErrorDetails> {
  const details = parseErrorDetails(text);
  if (details.length > 0 || (status !== 401 && status !== 403)) return details;
  return [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }];
}

function parseToken(text: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('Unavailable', 'the token server did not answer with JSON', { cause });
  }
  const { token, access_token: accessToken } = (parsed ?? {}) as Readonly<Record<string, unknown>>;
  const value = typeof token === 'string' && token !== '' ? token : accessToken;
  // What is not visible ASCII would split the header that it goes into.
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(value))
    throw new EngineError('Unavailable', 'authorization server did not include a token in the response');
  return value;
}
