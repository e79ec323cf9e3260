import { EngineError, isErrorKind } from '../errors.ts';
import type { AnsweringUrls } from './answering-urls.ts';
import { answerChallenge, parseChallenges } from './auth.ts';
import { isPlainHttpHint, parseErrorDetails, statusError, type RegistryErrorDetail } from './errors.ts';
import type { HostCapability, RegistryHost } from './hosts.ts';
import { readText, type HttpAnswer, type HttpClient } from './http-client.ts';
import type { RepositoryAccess } from './types.ts';

/** A request to a repository, whichever host answers it. */
export interface Ask {
  readonly method: 'GET' | 'HEAD';
  /** Below `/v2/<name>/`. */
  readonly path: string;
  readonly capability: HostCapability;
  readonly tagOrDigest: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What hosts are found and spoken to with. */
export interface HostParts {
  readonly client: HttpClient;
  readonly findHosts: (domain: string) => Promise<readonly RegistryHost[]>;
  readonly answering: AnsweringUrls;
}

/** What a registry says of a request, where it is one that speaks. */
const ANSWERS = ['NotFound', 'Unauthenticated', 'PermissionDenied'] as const;
const MAX_ERROR_BYTES = 64 * 1024;

/** Requests on behalf of one client to one repository: hosts in order, challenges answered, tokens remembered. */
export class HostRequests {
  readonly #parts: HostParts;
  readonly #access: RepositoryAccess;
  /** Authorization headers by the base URL that asked for them. */
  readonly #authorizations = new Map<string, string>();
  #hosts: Promise<readonly RegistryHost[]> | undefined;
  #isAnonymous = true;

  constructor(parts: HostParts, access: RepositoryAccess) {
    this.#parts = parts;
    this.#access = access;
  }

  /** False as soon as credentials of whatever kind were shown to a host. */
  isAnonymous(): boolean {
    return this.#isAnonymous;
  }

  /** A successful answer of the first host that has one; a mirror's failure, of whatever kind, leads to the next. */
  async ask(ask: Ask): Promise<HttpAnswer> {
    const { domain } = this.#access.reference;
    this.#hosts ??= this.#parts.findHosts(domain);
    const hosts = (await this.#hosts).filter(({ capabilities }) => capabilities.has(ask.capability));
    let failure: unknown = new EngineError(
      'NotFound',
      `no host of ${domain} is configured for ${ask.capability}`,
    );
    for (const host of hosts) {
      try {
        return await this.#askHost(host, ask);
      } catch (error) {
        if (isErrorKind(error, 'Cancelled')) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #askHost(host: RegistryHost, ask: Ask): Promise<HttpAnswer> {
    const { answering } = this.#parts;
    const candidates = answering.of(host);
    for (const [index, baseUrl] of candidates.entries()) {
      try {
        const answer = await this.#askUrl(host, baseUrl, ask);
        answering.note(host, baseUrl);
        return answer;
      } catch (error) {
        if (!ANSWERS.some((kind) => isErrorKind(error, kind))) answering.forget(host);
        if (index === candidates.length - 1 || !isPlainHttpHint(error)) throw error;
      }
    }
    throw new EngineError('Internal', `no address for ${this.#access.reference.domain}`);
  }

  async #askUrl(host: RegistryHost, baseUrl: URL, ask: Ask): Promise<HttpAnswer> {
    const first = await this.#send(host, baseUrl, ask);
    if (first.status !== 401) return this.#checked(first, ask);
    first.body.destroy();
    const challenges = parseChallenges(first.header('www-authenticate'));
    if (host.isOrigin && this.#access.credentials !== undefined) this.#isAnonymous = false;
    const authorization = await answerChallenge(this.#parts.client, challenges, {
      registryUrl: baseUrl,
      scope: `repository:${this.#access.reference.path}:pull`,
      familiarName: this.#access.familiarName,
      // Credentials are for the registry that the client named, never for a mirror of the operator's.
      credentials: host.isOrigin ? this.#access.credentials : undefined,
      tls: host.tls,
      signal: this.#access.signal,
    });
    this.#authorizations.set(baseUrl.href, authorization);
    return this.#checked(await this.#send(host, baseUrl, ask), ask);
  }

  async #send(host: RegistryHost, baseUrl: URL, ask: Ask): Promise<HttpAnswer> {
    const { reference, signal } = this.#access;
    const url = new URL(`${baseUrl.href.replace(/\/+$/, '')}/${reference.path}/${ask.path}`);
    if (!host.isOrigin) url.searchParams.set('ns', reference.domain);
    const authorization = this.#authorizations.get(baseUrl.href);
    if (Object.keys(host.headers).length + host.tls.clientCertificates.length > 0) this.#isAnonymous = false;
    return this.#parts.client.send({
      method: ask.method,
      url,
      headers: { ...host.headers, ...(authorization === undefined ? {} : { authorization }) },
      openHeaders: ask.headers,
      tls: host.tls,
      signal,
    });
  }

  async #checked(answer: HttpAnswer, ask: Ask): Promise<HttpAnswer> {
    if (answer.status === 200 || answer.status === 206) return answer;
    const details = await errorDetails(answer, ask);
    throw statusError({
      familiarName: this.#access.familiarName,
      tagOrDigest: ask.tagOrDigest,
      status: answer.status,
      details,
      ...retryAfter(answer),
    });
  }
}

// A token that was granted and still does not do: the registry hides whether the repository exists.
async function errorDetails(answer: HttpAnswer, ask: Ask): Promise<readonly RegistryErrorDetail[]> {
  const bearer = parseChallenges(answer.header('www-authenticate')).find(({ scheme }) => scheme === 'bearer');
  if (answer.status === 401 && bearer?.parameters.get('error') === 'insufficient_scope') {
    answer.body.destroy();
    return [{ code: 'DENIED', message: 'requested access to the resource is denied' }];
  }
  if (ask.method === 'HEAD') {
    answer.body.resume();
    return [];
  }
  try {
    return parseErrorDetails(await readText(answer, MAX_ERROR_BYTES));
  } catch {
    return [];
  }
}

function retryAfter(answer: HttpAnswer): { readonly retryAfterMs?: number } {
  const seconds = answer.header('retry-after');
  return /^\d{1,5}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1000 } : {};
}
