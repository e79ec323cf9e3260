import { EngineError } from '../errors.ts';
import type { Packet, PacketInput, StatInput } from './generated/filesync.ts';
import { CHARACTER, DEVICE, DIRECTORY, NAMED_PIPE, SPECIAL_BITS, SYMLINK } from './go-file-mode.ts';
import type { StreamingCall } from './session-calls.ts';
import type { FileTree, TreeFile } from './types.ts';

type Call = StreamingCall<PacketInput, Packet>;

const TYPE_BITS: Readonly<Record<TreeFile['type'], number>> = {
  directory: DIRECTORY,
  file: 0,
  symlink: SYMLINK,
  fifo: NAMED_PIPE,
  'character-device': DEVICE + CHARACTER,
  'block-device': DEVICE,
};
/** As BuildKit cuts files. */
const CHUNK_BYTES = 32 * 1024;

function statOf({
  path,
  type,
  mode,
  uid,
  gid,
  sizeBytes,
  mtimeNs,
  linkTarget,
  major,
  minor,
}: TreeFile): StatInput {
  const special = SPECIAL_BITS.reduce((sum, { go, value }) => sum + ((mode & value) === 0 ? 0 : go), 0);
  return {
    path,
    mode: TYPE_BITS[type] + special + (mode & 0o777),
    uid,
    gid,
    size: type === 'file' ? sizeBytes : 0,
    modTime: mtimeNs,
    linkname: linkTarget,
    devmajor: major,
    devminor: minor,
  };
}

/** The order of BuildKit's file transfer: a directory, what is in it, and then what comes after it. */
function sortKey(path: string): Buffer {
  return Buffer.from(path.replaceAll('/', '\0'));
}

async function sendContent(call: Call, id: number, content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of content)
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES)
      await call.sendPaced({ type: 'PACKET_DATA', ID: id, data: chunk.subarray(at, at + CHUNK_BYTES) });
  await call.sendPaced({ type: 'PACKET_DATA', ID: id });
}

/** What the client asks for is sent in the order of its asking, until it has all. */
async function answerRequests(call: Call, files: readonly TreeFile[], tree: FileTree): Promise<void> {
  for await (const { type, ID: id, data } of call.messages) {
    if (type === 'PACKET_ERR')
      throw new EngineError('InvalidArgument', `build client: ${Buffer.from(data).toString()}`);
    if (type === 'PACKET_FIN') {
      await call.sendPaced({ type: 'PACKET_FIN' });
      return;
    }
    if (type !== 'PACKET_REQ') continue;
    const file = files[id];
    if (file?.type !== 'file') throw new EngineError('InvalidArgument', 'the build client asked for no file');
    await sendContent(call, id, await tree.open(file.path));
  }
  throw new EngineError('Cancelled', 'the build client has gone');
}

/** Hands files to a client over BuildKit's file transfer; resolves when it has them all. */
export async function sendFiles(call: Call, tree: FileTree): Promise<void> {
  try {
    const keyed: { readonly key: Buffer; readonly file: TreeFile }[] = [];
    for await (const file of tree.files) keyed.push({ key: sortKey(file.path), file });
    const files = keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ file }) => file);
    // The client asks for files while it is still told of others: who did not read would stand in its way.
    const answering = answerRequests(call, files, tree);
    const telling = (async () => {
      for (const file of files) await call.sendPaced({ type: 'PACKET_STAT', stat: statOf(file) });
      await call.sendPaced({ type: 'PACKET_STAT' });
    })();
    await Promise.all([telling, answering]);
    call.end();
  } catch (error) {
    call.cancel();
    throw error;
  }
}
