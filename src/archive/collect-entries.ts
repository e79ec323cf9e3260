import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { EngineError, messageOf } from '../errors.ts';
import { decompress } from '../host/decompress.ts';
import { unreadableEntry } from '../lib/tar-entry.ts';
import type { ArchivedBlob, ArchiveSink } from './types.ts';

/** What an archive held: its documents, and by name the blobs that went to the sink. */
export interface ArchiveIndex {
  /** Bytes of a document at the archive's top. */
  document(name: string): Uint8Array | undefined;
  /** The blob that a name leads to, links inside the archive followed; InvalidArgument when there is none. */
  blob(name: string): ArchivedBlob;
  /** The blob with this digest, whatever its name. */
  blobByDigest(digest: string): ArchivedBlob | undefined;
}

const MAX_ENTRIES = 50_000;
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MAX_ARCHIVE_BYTES = 64 * 1024 ** 3;
const MAX_NAME_LENGTH = 4096;
const MAX_LINK_HOPS = 8;
const documentNames: ReadonlySet<string> = new Set([
  'manifest.json',
  'index.json',
  'oci-layout',
  'repositories',
]);

/** Reads a tar, plain or compressed, to its end; every file that is not a document goes to the sink. No name touches the disk. */
export async function collectEntries(
  tar: Readable,
  sink: ArchiveSink,
  signal: AbortSignal,
): Promise<ArchiveIndex> {
  const collector = new EntryCollector(sink);
  try {
    await readTar(tar, collector, signal);
  } catch (cause) {
    if (signal.aborted) throw new EngineError('Cancelled', 'context canceled', { cause });
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('InvalidArgument', `invalid archive: ${messageOf(cause)}`, { cause });
  }
  return collector;
}

async function readTar(tar: Readable, collector: EntryCollector, signal: AbortSignal): Promise<void> {
  const entries = extract();
  const piped = pipeline(decompress(tar), entries, { signal });
  const consumed = (async () => {
    for await (const entry of entries) {
      const reason = unreadableEntry(entry.header);
      if (reason !== undefined) throw new EngineError('InvalidArgument', `invalid archive: ${reason}`);
      await collector.add(entry.header, entry as AsyncIterable<Uint8Array>);
      entry.resume();
    }
  })();
  // A consumer that failed has to end the pipeline as well.
  consumed.catch(() => entries.destroy());
  const [consumption, transport] = await Promise.allSettled([consumed, piped]);
  const reasons = [consumption, transport].flatMap((end) =>
    end.status === 'rejected' ? [end.reason as unknown] : [],
  );
  // What the consumer says on purpose comes first; else the stream knows better why it ended.
  const reason = reasons.find((one) => one instanceof EngineError) ?? reasons.at(-1);
  if (reason !== undefined) throw reason instanceof Error ? reason : new Error(messageOf(reason));
}

class EntryCollector implements ArchiveIndex {
  readonly #sink: ArchiveSink;
  readonly #documents = new Map<string, Uint8Array>();
  readonly #blobs = new Map<string, ArchivedBlob>();
  readonly #links = new Map<string, string>();
  readonly #byDigest = new Map<string, ArchivedBlob>();
  #entries = 0;
  #bytes = 0;

  constructor(sink: ArchiveSink) {
    this.#sink = sink;
  }

  document(name: string): Uint8Array | undefined {
    return this.#documents.get(name);
  }

  blob(name: string): ArchivedBlob {
    let current = normalizeName(name);
    for (let hops = 0; hops <= MAX_LINK_HOPS && current !== undefined; hops += 1) {
      const found = this.#blobs.get(current);
      if (found) return found;
      current = this.#links.get(current);
    }
    throw new EngineError('InvalidArgument', `invalid archive: no file "${name.slice(0, 256)}" in it`);
  }

  blobByDigest(digest: string): ArchivedBlob | undefined {
    return this.#byDigest.get(digest);
  }

  async add(header: Header, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.#entries += 1;
    if (this.#entries > MAX_ENTRIES) throw tooLarge(`more than ${MAX_ENTRIES} entries`);
    const name = normalizeName(header.name);
    if (name === undefined)
      throw new EngineError('InvalidArgument', 'invalid archive: a name leads out of it');
    if (header.type === 'symlink') this.#addLink(name, posix.join(posix.dirname(name), header.linkname));
    else if (header.type === 'link') this.#addLink(name, header.linkname);
    else if (header.type === 'file' || header.type === 'contiguous-file')
      await this.#addFile(name, header, body);
  }

  // `docker save` links layers that images share; a link only ever leads to another entry's name.
  #addLink(name: string, target: string): void {
    const normalized = normalizeName(target);
    if (normalized !== undefined && normalized !== name) this.#links.set(name, normalized);
  }

  async #addFile(name: string, header: Header, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.#bytes += header.size;
    if (this.#bytes > MAX_ARCHIVE_BYTES) throw tooLarge(`more than ${MAX_ARCHIVE_BYTES} bytes`);
    if (documentNames.has(name)) {
      this.#documents.set(name, await readDocument(name, body));
      return;
    }
    if (isLegacyFile(name)) return;
    const blob = await this.#sink.write(body);
    this.#blobs.set(name, blob);
    this.#byDigest.set(blob.digest, blob);
  }
}

// Docker's first format kept a version and a configuration beside every layer; nothing refers to them any more.
function isLegacyFile(name: string): boolean {
  return /^[0-9a-f]{64}\/(VERSION|json)$/.test(name);
}

/** A name below the archive's root in one spelling; undefined when it leads out. */
function normalizeName(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH || name.includes('\0')) return undefined;
  const normalized = posix.normalize(name.replace(/^\/+/, '')).replace(/\/+$/, '');
  return normalized === '..' || normalized.startsWith('../') ? undefined : normalized;
}

async function readDocument(name: string, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > MAX_DOCUMENT_BYTES) throw tooLarge(`${name} is larger than ${MAX_DOCUMENT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(what: string): EngineError {
  return new EngineError('InvalidArgument', `invalid archive: ${what}`);
}
