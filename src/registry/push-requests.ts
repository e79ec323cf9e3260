import { EngineError } from '../errors.ts';
import { answerChallenge, parseChallenges } from './auth.ts';
import { isPlainHttpHint, parseErrorDetails, TransientRegistryError } from './errors.ts';
import type { HostParts } from './host-requests.ts';
import type { RegistryHost } from './hosts.ts';
import { readText, type HttpAnswer, type HttpRequest } from './http-client.ts';
import type { PushAccess } from './types.ts';

/** A request about what is pushed. */
export interface PushRequest {
  readonly method: HttpRequest['method'];
  /** Below `/v2/<name>/`, or where the registry has said that an upload goes on. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest['body'];
  /** Statuses that are an answer; any other one is an error. */
  readonly accepted: readonly number[];
}

interface Origin {
  readonly host: RegistryHost;
  readonly baseUrl: URL;
}

const MAX_ERROR_BYTES = 64 * 1024;

/** Requests of one push to the registry itself, authorized for all repositories that the push needs. */
export class PushRequests {
  readonly #parts: HostParts;
  readonly #access: PushAccess;
  #origin: Promise<Origin> | undefined;
  #authorization: string | undefined;

  constructor(parts: HostParts, access: PushAccess) {
    this.#parts = parts;
    this.#access = access;
  }

  /** The answer, if it is one of those accepted; else an error in the registry's words. */
  async send(request: PushRequest): Promise<HttpAnswer> {
    this.#origin ??= this.#findOrigin();
    const origin = await this.#origin;
    const first = await this.#sendOnce(origin, request);
    if (first.status !== 401) return checked(first, request);
    // A token lasts for minutes, an upload perhaps for longer.
    await this.#authorize(origin, first);
    return checked(await this.#sendOnce(origin, request), request);
  }

  /** Where an upload goes on; the registry may name a path only. */
  async locate(location: string): Promise<URL> {
    this.#origin ??= this.#findOrigin();
    const { baseUrl } = await this.#origin;
    const url = URL.canParse(location, baseUrl.href) ? new URL(location, baseUrl) : undefined;
    if (!url || !isSafeUpload(url, baseUrl))
      throw new EngineError('Unavailable', `${baseUrl.host} sent the upload to no place that is allowed`);
    return url;
  }

  async #sendOnce({ host, baseUrl }: Origin, request: PushRequest): Promise<HttpAnswer> {
    const { target } = request;
    const url = typeof target === 'string' ? this.#urlOf(baseUrl, target) : target;
    const isOwn = url.origin === baseUrl.origin;
    return this.#parts.client.send({
      method: request.method,
      url,
      headers: {
        ...(isOwn ? host.headers : {}),
        ...(isOwn && this.#authorization !== undefined ? { authorization: this.#authorization } : {}),
      },
      openHeaders: request.headers ?? {},
      ...(request.body === undefined ? {} : { body: request.body }),
      tls: isOwn ? host.tls : { ca: host.tls.ca, clientCertificates: [], skipVerify: false },
      signal: this.#access.signal,
    });
  }

  #urlOf(baseUrl: URL, path: string): URL {
    return new URL(`${baseUrl.href.replace(/\/+$/, '')}/${this.#access.reference.path}/${path}`);
  }

  // Which of the addresses it is, and whom it trusts, is asked before any blob is on its way.
  async #findOrigin(): Promise<Origin> {
    const { domain } = this.#access.reference;
    const hosts = await this.#parts.findHosts(domain);
    const host = hosts.find(({ isOrigin, capabilities }) => isOrigin && capabilities.has('push'));
    if (!host) throw new EngineError('NotFound', `no host of ${domain} is configured for push`);
    for (const [index, baseUrl] of host.baseUrls.entries()) {
      try {
        await this.#ping({ host, baseUrl });
        return { host, baseUrl };
      } catch (error) {
        if (index === host.baseUrls.length - 1 || !isPlainHttpHint(error)) throw asFinal(error);
      }
    }
    throw new EngineError('Internal', `no address for ${domain}`);
  }

  async #ping(origin: Origin): Promise<void> {
    const { host, baseUrl } = origin;
    const answer = await this.#parts.client.send({
      method: 'GET',
      url: new URL(`${baseUrl.href.replace(/\/+$/, '')}/`),
      headers: host.headers,
      tls: host.tls,
      signal: this.#access.signal,
    });
    if (answer.status === 401) await this.#authorize(origin, answer);
    else answer.body.resume();
  }

  async #authorize({ host, baseUrl }: Origin, refused: HttpAnswer): Promise<void> {
    refused.body.destroy();
    const { reference, mountFrom, familiarName, credentials, signal } = this.#access;
    const scopes = [
      `repository:${reference.path}:pull,push`,
      ...mountFrom.map((path) => `repository:${path}:pull`),
    ];
    const challenges = parseChallenges(refused.header('www-authenticate'));
    this.#authorization = await answerChallenge(this.#parts.client, challenges, {
      registryUrl: baseUrl,
      scope: scopes.join(' '),
      familiarName,
      credentials,
      tls: host.tls,
      signal,
    });
  }
}

// A host that cannot be reached at all is not tried again: the user waits for that answer.
function asFinal(error: unknown): unknown {
  return error instanceof TransientRegistryError
    ? new EngineError('Unavailable', error.message, { cause: error })
    : error;
}

// Some registries have their uploads go straight to a store of blobs: over TLS only, or on the registry's own host.
function isSafeUpload(url: URL, baseUrl: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  return (
    url.protocol === 'https:' || (url.protocol === baseUrl.protocol && url.hostname === baseUrl.hostname)
  );
}

async function checked(answer: HttpAnswer, request: PushRequest): Promise<HttpAnswer> {
  if (request.accepted.includes(answer.status)) return answer;
  const text = await readText(answer, MAX_ERROR_BYTES).catch(() => '');
  const [detail] = parseErrorDetails(text);
  const words = detail ? `${detail.code.toLowerCase().replaceAll('_', ' ')}: ${detail.message}` : '';
  throw pushError(answer.status, words);
}

function pushError(status: number, words: string): EngineError {
  if (status === 401)
    return new EngineError('Unauthenticated', words || 'unauthorized: authentication required');
  if (status === 403)
    return new EngineError('PermissionDenied', words || 'denied: requested access to the resource is denied');
  const message = words || `received unexpected HTTP status: ${status}`;
  if (status === 408 || status === 429 || status >= 500) return new TransientRegistryError(message);
  return new EngineError('InvalidArgument', message);
}
