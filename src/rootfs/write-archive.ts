import type { Readable } from 'node:stream';

import { extract, type Extract } from 'tar-stream';

import { EngineError } from '../errors.ts';
import { decompress } from '../host/decompress.ts';
import { isErrno } from '../host/errors.ts';
import { unreadableEntry } from '../lib/tar-entry.ts';
import { pathError, type Contained, type ContainedFile } from './contained.ts';
import { archiveError } from './archive-error.ts';
import { createParentCache, type UnpackTarget } from './parent-cache.ts';
import type { WriteArchiveOptions } from './types.ts';
import { setTimes, writeEntry, type ExtractedEntry, type Unpacking } from './write-entry.ts';

/** Unpacks a tar into an existing directory; what was written before an error stays. */
export async function unpackArchive(
  target: UnpackTarget,
  tar: Readable,
  options: WriteArchiveOptions,
): Promise<void> {
  const { contained, path } = target;
  const top = await openTarget(contained, path);
  const parser = extract();
  const cancel = (): void => parser.destroy(new EngineError('Cancelled', 'the copy was cancelled'));
  options.signal.addEventListener('abort', cancel, { once: true });
  try {
    if (options.signal.aborted) cancel();
    await Promise.all([feed(tar, parser), unpackEntries(target, parser, options)]);
  } catch (error) {
    parser.destroy(error instanceof Error ? error : null);
    throw error;
  } finally {
    options.signal.removeEventListener('abort', cancel);
    top.close();
  }
}

async function openTarget(contained: Contained, path: string): Promise<ContainedFile> {
  try {
    return await contained.openDirectory(path);
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) {
      throw new EngineError('InvalidArgument', 'extraction point is not a directory', { cause: error });
    }
    throw pathError(error, path);
  }
}

async function feed(tar: Readable, parser: Extract): Promise<void> {
  try {
    for await (const chunk of decompress(tar)) {
      if (parser.destroying) return;
      if (!parser.write(chunk)) await drained(parser);
    }
    parser.end(undefined);
  } catch (error) {
    parser.destroy(error instanceof Error ? error : null);
    throw archiveError(error);
  }
}

// By hand: an AbortController for each chunk was a fifth of the time that a big file takes.
function drained(parser: Extract): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      parser.off('drain', done);
      parser.off('close', done);
      resolve();
    };
    parser.on('drain', done);
    parser.on('close', done);
  });
}

async function unpackEntries(
  target: UnpackTarget,
  parser: Extract,
  options: WriteArchiveOptions,
): Promise<void> {
  const unpacking: Unpacking = {
    ...target,
    options,
    openParent: createParentCache(target),
    directoryTimes: [],
  };
  try {
    for await (const entry of entriesOf(parser)) {
      const reason = unreadableEntry(entry.header);
      if (reason !== undefined) throw archiveError(new Error(reason));
      await writeEntry(unpacking, entry).catch((error: unknown) => {
        throw pathError(error, entry.header.name);
      });
      await target.contained.calls.yieldTurn();
      // The parser goes on only when an entry has been read to its end.
      entry.resume();
    }
    // At last: every file made in a directory has changed its time.
    for (const { path, mtime } of unpacking.directoryTimes.reverse()) await setTimes(unpacking, path, mtime);
  } finally {
    unpacking.openParent.close();
  }
}

async function* entriesOf(parser: Extract): AsyncGenerator<ExtractedEntry, void, undefined> {
  try {
    yield* parser;
  } catch (error) {
    throw archiveError(error);
  }
}
