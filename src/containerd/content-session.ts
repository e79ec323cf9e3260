import { createDeferred } from '../lib/deferred.ts';
import { EngineError } from '../errors.ts';
import type { Caller } from './channel.ts';
import type { WriteContentRequestInput, WriteContentResponse } from './generated/content.ts';

/** One Write call: its first message names the ref, and the ref stays locked until the call ends. */
export interface WriteSession {
  /** Asks for the state of the ref: the answer's offset is what containerd has. */
  negotiate(request: WriteContentRequestInput): Promise<WriteContentResponse>;
  /** Resolves when the message is on its way, so that a slow containerd slows the sender. */
  send(request: WriteContentRequestInput): Promise<void>;
  /** Sends the commit and waits for containerd's verdict. */
  commit(request: WriteContentRequestInput): Promise<WriteContentResponse>;
  /** Settles like the promise, or rejects as soon as the call fails. */
  race<T>(promise: Promise<T>): Promise<T>;
  /** Digest of all that containerd has confirmed so far. */
  lastDigest(): string;
  /** Ends the call; what was written stays for a later session. */
  close(): void;
}

/** Opens a Write call; aborting the signal makes whatever waits reject as Cancelled. */
export async function openWriteSession(
  caller: Caller<'content'>,
  signal?: AbortSignal,
): Promise<WriteSession> {
  const stream = await caller.duplex('Write');
  const negotiated = createDeferred<WriteContentResponse>();
  const committed = createDeferred<WriteContentResponse>();
  const failed = createDeferred<never>();
  let digest = '';
  const fail = (error: EngineError): void => {
    for (const deferred of [failed, negotiated, committed]) deferred.reject(error);
  };
  stream.on('data', (response: WriteContentResponse) => {
    if (response.digest !== '') digest = response.digest;
    if (response.action === 'STAT') negotiated.resolve(response);
    if (response.action === 'COMMIT') committed.resolve(response);
  });
  stream.on('error', (error) => fail(caller.toError(error)));
  stream.on('end', () => fail(new EngineError('Internal', 'containerd ended the write before its commit')));
  const onAbort = (): void => stream.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const race = <T>(promise: Promise<T>): Promise<T> => Promise.race([promise, failed.promise]);
  const send = (request: WriteContentRequestInput): Promise<void> =>
    race(new Promise((resolve) => stream.write(request, () => resolve())));
  return {
    race,
    send,
    async negotiate(request) {
      await send({ ...request, action: 'STAT' });
      return negotiated.promise;
    },
    async commit(request) {
      await send({ ...request, action: 'COMMIT' });
      const answer = await committed.promise;
      stream.end();
      return answer;
    },
    lastDigest: () => digest,
    close() {
      signal?.removeEventListener('abort', onAbort);
      stream.cancel();
    },
  };
}
