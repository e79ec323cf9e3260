import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, isErrorKind } from '../errors.ts';
import { TransientRegistryError } from './errors.ts';
import { createPace } from './pace.ts';
import { HostRequests, type HostParts } from './host-requests.ts';
import { readBytes, type HttpAnswer } from './http-client.ts';
import type { FetchedManifest, RegistryDescriptor, Repository, RepositoryAccess } from './types.ts';

/** How often and how patiently a failed request is made again. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/** What a repository is reached with. */
export interface RepositoryParts extends HostParts {
  readonly retry: RetryPolicy;
}

const MAX_RESUMPTIONS = 100;
const UNEXPECTED_EOF = 'unexpected EOF';
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MANIFEST_TYPES = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1',
].join(', ');
const MAX_TAGS = 1000;
const TAGS_PER_PAGE = 500;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Opens a repository on its hosts; hosts are looked up at the first request. */
export function createRepository(parts: RepositoryParts, access: RepositoryAccess): Repository {
  return new HttpRepository(parts, access);
}

class HttpRepository implements Repository {
  readonly #retry: RetryPolicy;
  readonly #signal: AbortSignal;
  readonly #requests: HostRequests;

  constructor(parts: RepositoryParts, access: RepositoryAccess) {
    this.#retry = parts.retry;
    this.#signal = access.signal;
    this.#requests = new HostRequests(parts, access);
  }

  async resolve(tagOrDigest: string): Promise<RegistryDescriptor> {
    return (await this.#head(tagOrDigest)) ?? this.fetchManifest(tagOrDigest);
  }

  // A registry need not answer HEAD, nor say what it holds, and an error has no words there: then GET tells.
  async #head(tagOrDigest: string): Promise<RegistryDescriptor | undefined> {
    let answer: HttpAnswer;
    try {
      answer = await this.#askManifest('HEAD', tagOrDigest);
    } catch (error) {
      if (!(error instanceof EngineError) || !hasAnswered(error) || error.kind === 'Unauthenticated')
        throw error;
      return undefined;
    }
    answer.body.resume();
    const digest = answer.header('docker-content-digest');
    const size = Number(answer.header('content-length') || 'NaN');
    if (!isDigest(digest) || !Number.isSafeInteger(size)) return undefined;
    if (isDigest(tagOrDigest) && digest !== tagOrDigest) throw digestMismatch(tagOrDigest, digest);
    return { mediaType: mediaTypeOf(answer), digest, size };
  }

  async listTags(): Promise<readonly string[]> {
    const tags: string[] = [];
    for (let isMore = true; isMore;) {
      const last = tags.at(-1);
      const page = await this.#retrying(() => this.#askTags(last));
      tags.push(...page.tags);
      if (tags.length > MAX_TAGS)
        throw new EngineError('Unavailable', `the repository has more than ${MAX_TAGS} tags`);
      isMore = page.isMore && page.tags.length > 0;
    }
    return tags;
  }

  async #askTags(
    last: string | undefined,
  ): Promise<{ readonly tags: readonly string[]; readonly isMore: boolean }> {
    const from = last === undefined ? '' : `&last=${encodeURIComponent(last)}`;
    const answer = await this.#requests.ask({
      method: 'GET',
      path: `tags/list?n=${TAGS_PER_PAGE}${from}`,
      capability: 'resolve',
      tagOrDigest: '',
      headers: {},
    });
    const isMore = /rel="?next"?/.test(answer.header('link'));
    return { tags: parseTags(await readBytes(answer, MAX_MANIFEST_BYTES)), isMore };
  }

  async fetchManifest(tagOrDigest: string): Promise<FetchedManifest> {
    return this.#retrying(async () => {
      const answer = await this.#askManifest('GET', tagOrDigest);
      const bytes = await readBytes(answer, MAX_MANIFEST_BYTES);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      if (isDigest(tagOrDigest) && digest !== tagOrDigest) throw digestMismatch(tagOrDigest, digest);
      return { mediaType: mediaTypeOf(answer), digest, size: bytes.byteLength, bytes };
    });
  }

  async hasBlob(blob: RegistryDescriptor): Promise<boolean> {
    try {
      const answer = await this.#requests.ask({
        method: 'HEAD',
        path: `blobs/${blob.digest}`,
        capability: 'pull',
        tagOrDigest: '',
        headers: {},
      });
      answer.body.resume();
      return true;
    } catch (error) {
      if (isErrorKind(error, 'Cancelled')) throw error;
      return false;
    }
  }

  isAnonymous(): boolean {
    return this.#requests.isAnonymous();
  }

  async *fetchBlob(blob: RegistryDescriptor): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    for await (const chunk of this.fetchUnverified(blob, 0)) {
      hash.update(chunk);
      yield chunk;
    }
    checkDigest(blob.digest, `sha256:${hash.digest('hex')}`);
  }

  async *fetchUnverified(blob: RegistryDescriptor, offset: number): AsyncGenerator<Uint8Array> {
    let position = offset;
    let failures = 0;
    let resumptions = -1;
    while (position < blob.size) {
      resumptions += 1;
      const start = position;
      try {
        for await (const chunk of this.#readBlob(blob, start)) {
          position += chunk.length;
          yield chunk;
        }
      } catch (error) {
        failures = position > start ? 1 : failures + 1;
        // A server that hands out a few bytes each time would never come to an end.
        if (resumptions >= MAX_RESUMPTIONS) throw error;
        await this.#retryLater(error, failures);
      }
    }
  }

  /** One transfer from `start` to the end of the blob; longer than promised is final, shorter is worth another try. */
  async *#readBlob(blob: RegistryDescriptor, start: number): AsyncGenerator<Uint8Array> {
    const answer = await this.#requests.ask({
      method: 'GET',
      path: `blobs/${blob.digest}`,
      capability: 'pull',
      tagOrDigest: '',
      headers: start === 0 ? {} : { range: `bytes=${start}-${blob.size - 1}` },
    });
    let skip = start > 0 && answer.status === 200 ? start : 0;
    checkRange(answer, start, skip);
    let position = start;
    const pace = createPace();
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        pace.received(chunk.length);
        const wanted = skip < chunk.length ? chunk.subarray(skip) : undefined;
        skip = Math.max(0, skip - chunk.length);
        if (!wanted) continue;
        position += wanted.length;
        if (position > blob.size)
          throw new EngineError(
            'Unavailable',
            `blob ${blob.digest} is longer than the ${blob.size} bytes it should have`,
          );
        yield wanted;
        pace.ready();
      }
    } catch (cause) {
      throw this.#transferError(cause);
    } finally {
      answer.body.destroy();
    }
    if (position < blob.size) throw new TransientRegistryError(UNEXPECTED_EOF);
  }

  #transferError(cause: unknown): EngineError {
    if (this.#signal.aborted) return new EngineError('Cancelled', 'context canceled', { cause });
    return cause instanceof EngineError ? cause : new TransientRegistryError(UNEXPECTED_EOF, { cause });
  }

  #askManifest(method: 'GET' | 'HEAD', tagOrDigest: string): Promise<HttpAnswer> {
    return this.#requests.ask({
      method,
      path: `manifests/${tagOrDigest}`,
      capability: isDigest(tagOrDigest) ? 'pull' : 'resolve',
      tagOrDigest,
      headers: { accept: MANIFEST_TYPES },
    });
  }

  async #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof EngineError && !hasAnswered(error)) throw error;
        await this.#retryLater(error, failures);
      }
    }
  }

  /** Waits before the next attempt, or throws the error when there is none. */
  async #retryLater(error: unknown, failures: number): Promise<void> {
    const { attempts, firstDelayMs, maxDelayMs } = this.#retry;
    if (!(error instanceof TransientRegistryError) || failures >= attempts) throw error;
    const delayMs = Math.min(
      maxDelayMs,
      Math.max(firstDelayMs * 2 ** (failures - 1), error.retryAfterMs ?? 0),
    );
    try {
      await delay(delayMs, undefined, { signal: this.#signal });
    } catch (cause) {
      throw new EngineError('Cancelled', 'context canceled', { cause });
    }
  }
}

function parseTags(bytes: Uint8Array): readonly string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new EngineError('Unavailable', 'the registry did not answer with a list of tags', { cause });
  }
  const { tags } = (parsed ?? {}) as { readonly tags?: unknown };
  if (!Array.isArray(tags)) return [];
  return tags.filter((tag: unknown): tag is string => typeof tag === 'string' && tagPattern.test(tag));
}

function isDigest(tagOrDigest: string): boolean {
  return digestPattern.test(tagOrDigest);
}

function mediaTypeOf(answer: HttpAnswer): string {
  return (answer.header('content-type').split(';')[0] ?? '').trim().toLowerCase();
}

// A host that could not be reached is not tried again: the user waits for that answer.
function hasAnswered(error: EngineError): boolean {
  return error.kind !== 'Cancelled' && (error.cause === undefined || error.message === UNEXPECTED_EOF);
}

function checkDigest(wanted: string, got: string): void {
  if (wanted !== got) throw digestMismatch(wanted, got);
}

function digestMismatch(wanted: string, got: string): EngineError {
  return new EngineError('Unavailable', `content does not match its digest: wanted ${wanted}, got ${got}`);
}

function checkRange(answer: HttpAnswer, start: number, skip: number): void {
  if (start === 0 || skip > 0) return;
  if (answer.header('content-range').startsWith(`bytes ${start}-`)) return;
  answer.body.destroy();
  throw new EngineError('Unavailable', 'the registry answered with another range than the one asked for');
}
