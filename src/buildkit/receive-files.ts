import { Readable } from 'node:stream';
import { EngineError } from '../errors.ts';
import { createDeferred, type Deferred } from '../lib/deferred.ts';
import { encodeTarHeader, tarEnd, tarPadding } from '../lib/tar-header.ts';
import type { Packet, PacketInput, Stat } from './generated/filesync.ts';
import type { StreamingCall } from './session-calls.ts';
import { isRequested, tarEntryOf } from './tar-entry-of.ts';

/** Bytes of files asked for ahead of their turn; a longer file is asked for alone, and read at the reader's pace. */
const AHEAD_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 1_000_000;
/** What all that a client names may be called together: names of its own making are kept until their turn. */
const MAX_NAME_BYTES = 256 * 1024 * 1024;

type Call = StreamingCall<PacketInput, Packet>;

interface Content {
  readonly chunks: Uint8Array[];
  received: number;
  isComplete: boolean;
}

interface Transfer {
  readonly call: Call;
  /** By their number, which is their place among all that the client names. */
  readonly files: Stat[];
  nameBytes: number;
  areAllKnown: boolean;
  isFinished: boolean;
  readonly contents: Map<number, Content>;
  /** Settled, and replaced, when any of the above has changed. */
  changed: Deferred<undefined>;
  /** The next file to ask for. */
  next: number;
  /** Asked for and not yet handed on. */
  outstanding: number;
  /** Here and not yet handed on. */
  buffered: number;
}

function tellChange(transfer: Transfer): void {
  const { changed } = transfer;
  transfer.changed = createDeferred();
  changed.resolve(undefined);
}

function addFile(transfer: Transfer, stat: Stat | null): void {
  if (!stat) {
    transfer.areAllKnown = true;
    return;
  }
  transfer.nameBytes += stat.path.length + stat.linkname.length;
  if (transfer.nameBytes > MAX_NAME_BYTES)
    throw new EngineError(
      'InvalidArgument',
      `the build context has names of more than ${MAX_NAME_BYTES} bytes`,
    );
  // Attributes do not come into an image this way, and would be held for nothing.
  if (transfer.files.push({ ...stat, xattrs: {} }) > MAX_FILES)
    throw new EngineError('InvalidArgument', `the build context has more than ${MAX_FILES} files`);
}

function addData(transfer: Transfer, { ID: id, data }: Packet): void {
  const content = transfer.contents.get(id);
  const stat = transfer.files[id];
  if (!content || !stat || content.isComplete)
    throw new EngineError('InvalidArgument', 'the build client sent a file that was not asked for');
  if (data.length === 0) content.isComplete = true;
  else content.chunks.push(data);
  content.received += data.length;
  transfer.buffered += data.length;
  if (content.received > stat.size || (content.isComplete && content.received < stat.size))
    throw new EngineError('InvalidArgument', `file "${stat.path}" changed while it was read`);
}

/** Reads what the client sends; waits while more is here than was asked for ahead, which only one long file can do. */
async function readPackets(transfer: Transfer): Promise<void> {
  for await (const packet of transfer.call.messages) {
    if (packet.type === 'PACKET_STAT') addFile(transfer, packet.stat);
    else if (packet.type === 'PACKET_DATA') addData(transfer, packet);
    else if (packet.type === 'PACKET_ERR')
      throw new EngineError('InvalidArgument', `build client: ${Buffer.from(packet.data).toString()}`);
    else if (packet.type === 'PACKET_FIN') transfer.isFinished = true;
    tellChange(transfer);
    if (transfer.isFinished) return;
    while (transfer.buffered > AHEAD_BYTES) await transfer.changed.promise;
  }
}

/** Asks for files as long as they fit; the one at `turn` always does. */
function askAhead(transfer: Transfer, turn: number): void {
  transfer.next = Math.max(transfer.next, turn);
  for (;;) {
    const stat = transfer.files[transfer.next];
    if (!stat) return;
    if (isRequested(stat)) {
      if (transfer.outstanding > 0 && transfer.outstanding + stat.size > AHEAD_BYTES) return;
      transfer.contents.set(transfer.next, { chunks: [], received: 0, isComplete: false });
      transfer.outstanding += stat.size;
      transfer.call.send({ type: 'PACKET_REQ', ID: transfer.next });
    }
    transfer.next += 1;
  }
}

async function* contentOf(transfer: Transfer, id: number): AsyncGenerator<Uint8Array, void> {
  askAhead(transfer, id);
  const content = transfer.contents.get(id);
  if (!content) throw new EngineError('Internal', 'a file was handed on twice');
  for (;;) {
    const chunk = content.chunks.shift();
    if (chunk) {
      transfer.buffered -= chunk.length;
      yield chunk;
      tellChange(transfer);
    } else if (content.isComplete) break;
    else await transfer.changed.promise;
  }
  transfer.contents.delete(id);
  transfer.outstanding -= content.received;
}

async function* archiveOf(transfer: Transfer): AsyncGenerator<Uint8Array, void> {
  for (let id = 0; ; id += 1) {
    while (id >= transfer.files.length && !transfer.areAllKnown) await transfer.changed.promise;
    const stat = transfer.files[id];
    if (!stat) break;
    const entry = tarEntryOf(stat);
    if (!entry) continue;
    yield encodeTarHeader(entry);
    if (isRequested(stat)) yield* contentOf(transfer, id);
    yield tarPadding(entry.sizeBytes);
  }
  transfer.call.send({ type: 'PACKET_FIN' });
  yield tarEnd;
}

function startTransfer(call: Call, onError: (error: Error) => void): Transfer {
  const transfer: Transfer = {
    call,
    files: [],
    nameBytes: 0,
    areAllKnown: false,
    isFinished: false,
    contents: new Map(),
    changed: createDeferred(),
    next: 0,
    outstanding: 0,
    buffered: 0,
  };
  readPackets(transfer).then(
    () => {
      call.end();
    },
    (error: unknown) => {
      transfer.changed.reject(error);
      onError(error instanceof Error ? error : new Error(String(error)));
    },
  );
  return transfer;
}

/** Takes files over BuildKit's file transfer, as a tar archive; what is not read stays with the client. */
export function receiveFiles(call: Call, signal: AbortSignal): Readable {
  const transfer = startTransfer(call, (error) => archive.destroy(error));
  const archive: Readable = Readable.from(archiveOf(transfer), { objectMode: false, signal });
  archive.once('close', () => {
    // The last packet may still be on its way when all has been read.
    if (!archive.readableEnded) call.cancel();
  });
  return archive;
}

/** Takes the first file of a transfer that a few small files were asked for with, by its path; undefined without one. */
export async function receiveFile(
  call: Call,
  paths: readonly string[],
  maxBytes: number,
): Promise<{ readonly path: string; readonly bytes: Buffer } | undefined> {
  const transfer = startTransfer(call, () => undefined);
  try {
    while (!transfer.areAllKnown) await transfer.changed.promise;
    const path = paths.find((one) => transfer.files.some((stat) => stat.path === one && isRequested(stat)));
    const id = transfer.files.findIndex((stat) => stat.path === path);
    const size = transfer.files[id]?.size ?? 0;
    if (path === undefined) return undefined;
    if (size > maxBytes)
      throw new EngineError(
        'InvalidArgument',
        `file "${path}" has ${size} bytes; at most ${maxBytes} are read`,
      );
    const chunks: Uint8Array[] = [];
    for await (const chunk of contentOf(transfer, id)) chunks.push(chunk);
    return { path, bytes: Buffer.concat(chunks) };
  } finally {
    call.cancel();
  }
}
