import type { TarEntry, TarType } from '../lib/tar-header.ts';
import type { Stat } from './generated/filesync.ts';
import { CHARACTER, DEVICE, DIRECTORY, NAMED_PIPE, SOCKET, SPECIAL_BITS, SYMLINK } from './go-file-mode.ts';

function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

function typeOf({ mode, linkname }: Stat): TarType | undefined {
  if (has(mode, DIRECTORY)) return 'directory';
  if (has(mode, SYMLINK)) return 'symlink';
  if (has(mode, DEVICE)) return has(mode, CHARACTER) ? 'character-device' : 'block-device';
  if (has(mode, NAMED_PIPE)) return 'fifo';
  if (has(mode, SOCKET)) return undefined;
  return linkname === '' ? 'file' : 'link';
}

function permissions(mode: number): number {
  return SPECIAL_BITS.reduce((sum, { go, value }) => sum + (has(mode, go) ? value : 0), mode & 0o777);
}

/** True where the file's bytes have to be asked for. */
export function isRequested(stat: Stat): boolean {
  return typeOf(stat) === 'file' && stat.size > 0;
}

/** What a client says of a file, as an entry of a tar archive; undefined for a socket, which tar has no name for. */
export function tarEntryOf(stat: Stat): TarEntry | undefined {
  const type = typeOf(stat);
  if (type === undefined) return undefined;
  return {
    name: Buffer.from(type === 'directory' ? `${stat.path}/` : stat.path),
    type,
    mode: permissions(stat.mode),
    uid: stat.uid,
    gid: stat.gid,
    sizeBytes: type === 'file' ? stat.size : 0,
    mtimeSeconds: Math.floor(stat.modTime / 1e9),
    major: stat.devmajor,
    minor: stat.devminor,
    ...(stat.linkname === '' ? {} : { linkName: Buffer.from(stat.linkname) }),
  };
}
