import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../errors.ts';
import { TransientRegistryError } from './errors.ts';
import type { HttpAnswer } from './http-client.ts';
import { PushRequests } from './push-requests.ts';
import type { RepositoryParts, RetryPolicy } from './repository.ts';
import type { FetchedManifest, PushAccess, PushBlob, PushRepository } from './types.ts';

/** Opens a repository of a registry for a push; the registry is looked up at the first request. */
export function createPushRepository(parts: RepositoryParts, access: PushAccess): PushRepository {
  return new HttpPushRepository(parts, access);
}

class HttpPushRepository implements PushRepository {
  readonly #retry: RetryPolicy;
  readonly #signal: AbortSignal;
  readonly #requests: PushRequests;

  constructor(parts: RepositoryParts, access: PushAccess) {
    this.#retry = parts.retry;
    this.#signal = access.signal;
    this.#requests = new PushRequests(parts, access);
  }

  async hasBlob(digest: string): Promise<boolean> {
    return this.#retrying(async () => {
      const answer = await this.#requests.send({
        method: 'HEAD',
        target: `blobs/${digest}`,
        accepted: [200, 404],
      });
      answer.body.resume();
      return answer.status === 200;
    });
  }

  async pushBlob(blob: PushBlob): Promise<'mounted' | 'uploaded'> {
    return this.#retrying(async () => {
      const begun = await this.#begin(blob);
      begun.body.resume();
      if (begun.status === 201) return 'mounted';
      const location = await this.#requests.locate(begun.header('location'));
      location.searchParams.set('digest', blob.digest);
      const stored = await this.#requests.send({
        method: 'PUT',
        target: location,
        headers: { 'content-type': 'application/octet-stream' },
        body: { size: blob.size, open: () => blob.open() },
        accepted: [201, 204],
      });
      stored.body.resume();
      return 'uploaded';
    });
  }

  async pushManifest(tag: string, manifest: FetchedManifest): Promise<void> {
    await this.#retrying(async () => {
      const answer = await this.#requests.send({
        method: 'PUT',
        target: `manifests/${tag}`,
        headers: { 'content-type': manifest.mediaType },
        body: { size: manifest.size, open: () => once(manifest.bytes) },
        accepted: [200, 201, 202],
      });
      answer.body.resume();
      const digest = answer.header('docker-content-digest');
      if (digest !== '' && digest !== manifest.digest)
        throw new EngineError(
          'Unavailable',
          `the registry stored ${digest.slice(0, 128)}, not ${manifest.digest}`,
        );
    });
  }

  #begin({ digest, mountFrom }: PushBlob): Promise<HttpAnswer> {
    const query =
      mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: digest, from: mountFrom }).toString()}`;
    return this.#requests.send({
      method: 'POST',
      target: `blobs/uploads/${query}`,
      headers: { 'content-length': '0' },
      accepted: mountFrom === undefined ? [202] : [201, 202],
    });
  }

  async #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        const { attempts, firstDelayMs, maxDelayMs } = this.#retry;
        if (!(error instanceof TransientRegistryError) || failures >= attempts) throw error;
        const backOffMs = Math.max(firstDelayMs * 2 ** (failures - 1), error.retryAfterMs ?? 0);
        await this.#pause(Math.min(maxDelayMs, backOffMs));
      }
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    try {
      await delay(milliseconds, undefined, { signal: this.#signal });
    } catch (cause) {
      throw new EngineError('Cancelled', 'context canceled', { cause });
    }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
