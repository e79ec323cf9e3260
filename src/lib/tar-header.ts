/** The kinds of entries that we write, by their letters in the format. */
export type TarType =
  'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';

/** One entry of a tar; names are bytes as the file system has them. */
export interface TarEntry {
  readonly name: Buffer;
  readonly type: TarType;
  readonly linkName?: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly major?: number;
  readonly minor?: number;
  /** A program's file capabilities, as the kernel stores them. */
  readonly capabilities?: Buffer;
}

const blockBytes = 512;
const letters: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};
const maxNameBytes = 100;
const paxName = Buffer.from('PaxHeaders/entry');
const maxSmallNumber = 0o7777777;
const maxLargeNumber = 0o77777777777;

/** Two empty blocks: the end of an archive. */
export const tarEnd = Buffer.alloc(2 * blockBytes);

/** Zeros that fill up an entry's last block. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

/** The header of an entry, with a PAX header before it for what does not fit. */
export function encodeTarHeader(entry: TarEntry): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: Buffer): void => void records.push(paxRecord(key, value));
  if (needsPax(entry.name)) add('path', entry.name);
  if (entry.linkName && needsPax(entry.linkName)) add('linkpath', entry.linkName);
  if (entry.sizeBytes > maxLargeNumber) add('size', Buffer.from(String(entry.sizeBytes)));
  if (entry.uid > maxSmallNumber) add('uid', Buffer.from(String(entry.uid)));
  if (entry.gid > maxSmallNumber) add('gid', Buffer.from(String(entry.gid)));
  if (entry.capabilities) add('SCHILY.xattr.security.capability', entry.capabilities);
  if (!isOctal(entry.mtimeSeconds)) add('mtime', Buffer.from(String(entry.mtimeSeconds)));
  if (records.length === 0) return encodeBlock(entry, letters[entry.type]);
  const pax = Buffer.concat(records);
  const { uid, gid, mtimeSeconds } = entry;
  const paxEntry = {
    name: paxName,
    type: entry.type,
    mode: 0o644,
    uid,
    gid,
    sizeBytes: pax.length,
    mtimeSeconds,
  };
  return Buffer.concat([
    encodeBlock(paxEntry, 'x'),
    pax,
    tarPadding(pax.length),
    encodeBlock(entry, letters[entry.type]),
  ]);
}

function needsPax(name: Buffer): boolean {
  return name.length > maxNameBytes || name.some((byte) => byte > 0x7e);
}

function isOctal(value: number): boolean {
  return value >= 0 && value <= maxLargeNumber;
}

// The number at the beginning counts its own digits too.
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function encodeBlock(entry: TarEntry, letter: string): Buffer {
  const block = Buffer.alloc(blockBytes);
  const number = (value: number, at: number, digits: number): void => {
    const fits = value >= 0 && value < 8 ** digits;
    block.write((fits ? value : 0).toString(8).padStart(digits, '0'), at, 'latin1');
  };
  entry.name.copy(block, 0, 0, maxNameBytes);
  number(entry.mode, 100, 7);
  number(entry.uid, 108, 7);
  number(entry.gid, 116, 7);
  number(entry.sizeBytes, 124, 11);
  number(entry.mtimeSeconds, 136, 11);
  block.write(' '.repeat(8), 148, 'latin1');
  block.write(letter, 156, 'latin1');
  entry.linkName?.copy(block, 157, 0, maxNameBytes);
  block.write('ustar\u000000', 257, 'latin1');
  number(entry.major ?? 0, 329, 7);
  number(entry.minor ?? 0, 337, 7);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
