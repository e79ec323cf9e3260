import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError, isErrorKind } from '../errors.ts';
import { createRandomId } from '../lib/random-id.ts';
import type { Caller } from './channel.ts';
import { openWriteSession, type WriteSession } from './content-session.ts';
import { isAlreadyExists, isRefused } from './errors.ts';
import { groupBytes } from './group-bytes.ts';
import type { Content, ContentSource, NewContent, WrittenContent } from './types-store.ts';

// More gains nothing; two of them are in memory for each write.
const groupedBytes = 512 * 1024;
const minPollMs = 25;
const maxPollMs = 500;
const defaultPatienceMs = 30_000;

/** What a write needs besides the blob. */
export interface WriteContext {
  readonly caller: Caller<'content'>;
  readonly content: Pick<Content, 'info' | 'updateLabels' | 'status' | 'abort'>;
  readonly signal?: AbortSignal;
  /** How long another writer of the ref may not get on before this one goes by itself. */
  readonly patienceMs?: number;
}

type Attempt =
  | { readonly outcome: 'written'; readonly written: WrittenContent }
  | { readonly outcome: 'present'; readonly digest: string; readonly error: EngineError };

/** Writes a blob and commits it, whoever else writes or has written the same one. */
export async function writeContent(
  context: WriteContext,
  content: NewContent,
  source: ContentSource,
): Promise<WrittenContent> {
  const first = await attemptUnlocked(context, content, source);
  if (first.outcome === 'written') return first.written;
  // Another writer won. A second opening with the digest known makes containerd add the blob to our lease,
  // which the refused commit did not.
  const digest = content.digest === '' ? first.digest : content.digest;
  const second = await attemptUnlocked(context, { ...content, digest }, () => {
    throw first.error;
  });
  if (second.outcome === 'written') return second.written;
  const labels = content.labels ?? {};
  const info =
    Object.keys(labels).length > 0
      ? await context.content.updateLabels(digest, labels)
      : await context.content.info(digest);
  return { digest, size: info.size, alreadyPresent: true };
}

async function attemptUnlocked(
  context: WriteContext,
  content: NewContent,
  source: ContentSource,
): Promise<Attempt> {
  const session = await openUnlocked(context, content);
  if ('outcome' in session) return session;
  try {
    return { outcome: 'written', written: await fill(session, content, source) };
  } catch (error) {
    if (isAlreadyExists(error)) return { outcome: 'present', digest: session.lastDigest(), error };
    // A refused blob must not be resumed: its bytes are wrong, and would be wrong again.
    if (isRefused(error)) await abandon(context, session);
    throw error;
  } finally {
    session.close();
  }
}

interface OpenSession extends WriteSession {
  readonly ref: string;
  readonly offset: number;
}

async function open(context: WriteContext, { ref, size, digest }: NewContent): Promise<OpenSession> {
  const session = await openWriteSession(context.caller, context.signal);
  try {
    const { offset } = await session.negotiate({ ref, total: size, expected: digest });
    return { ...session, ref, offset };
  } catch (error) {
    session.close();
    throw error;
  }
}

// containerd lets one writer at a time have a ref and tells nobody when it is free again: so we ask, for as long as the
// other writer gets on.
async function openUnlocked(context: WriteContext, content: NewContent): Promise<OpenSession | Attempt> {
  const { patienceMs = defaultPatienceMs } = context;
  let lastSeen = '';
  let deadline = Date.now() + patienceMs;
  for (let pollMs = minPollMs; ; pollMs = Math.min(pollMs * 2, maxPollMs)) {
    try {
      return await open(context, content);
    } catch (error) {
      if (isAlreadyExists(error)) return { outcome: 'present', digest: content.digest, error };
      if (!isErrorKind(error, 'Unavailable') || !error.message.includes('locked')) throw error;
      const seen = await progressOf(context, content.ref);
      if (seen !== lastSeen) deadline = Date.now() + patienceMs;
      // Whoever has the ref may wait for a server that is silent: ours need not be.
      else if (Date.now() > deadline)
        return open(context, { ...content, ref: `${content.ref}-${createRandomId()}` });
      lastSeen = seen;
    }
    await pause(pollMs, context.signal);
  }
}

async function progressOf({ content }: WriteContext, ref: string): Promise<string> {
  try {
    const { offset, updatedAt } = await content.status(ref);
    return `${offset} ${updatedAt.toISOString()}`;
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return 'gone';
    throw error;
  }
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal ? { signal } : {});
  } catch (cause) {
    throw new EngineError('Cancelled', 'cancelled', { cause });
  }
}

async function fill(
  session: OpenSession,
  content: NewContent,
  source: ContentSource,
): Promise<WrittenContent> {
  const { ref } = session;
  const { size: total, digest: expected, labels = {}, shownLabels = {} } = content;
  // A full offset with nothing written: another namespace has the blob, and containerd shares it.
  const isComplete = expected !== '' && total > 0 && session.offset === total;
  const offset = isComplete ? total : await sendAll(session, source);
  const set = isComplete ? labels : { ...labels, ...shownLabels };
  const answer = await session.commit({ ref, total, expected, offset, labels: set });
  return { digest: answer.digest, size: answer.offset, alreadyPresent: isComplete };
}

async function sendAll(session: OpenSession, source: ContentSource): Promise<number> {
  const { ref } = session;
  let { offset } = session;
  const isResumable = typeof source === 'function';
  const bytes = isResumable ? await session.race(Promise.resolve(source(offset))) : source;
  const groups = groupBytes(bytes, groupedBytes, isResumable ? 0 : offset);
  let sent: Promise<void> = Promise.resolve();
  let isDone = false;
  try {
    for (;;) {
      // The next bytes are read while the last ones are on their way.
      const next = await session.race(groups.next());
      await sent;
      if (next.done) break;
      sent = session.send({ ref, offset, bytes: next.value });
      sent.catch(() => undefined);
      offset += next.value.length;
    }
    isDone = true;
    return offset;
  } finally {
    // Not awaited: a source that is stuck would keep the failed write here.
    if (!isDone) groups.return().catch(() => undefined);
  }
}

async function abandon({ content }: WriteContext, session: OpenSession): Promise<void> {
  session.close();
  try {
    await content.abort(session.ref);
  } catch (error) {
    if (!isErrorKind(error, 'NotFound') && !isErrorKind(error, 'Unavailable')) throw error;
  }
}
