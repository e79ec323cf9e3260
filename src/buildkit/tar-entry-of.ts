import type { TarEntry, TarType } from '../lib/tar-header.ts';
import type { Stat } from './generated/filesync.ts';

// Bits of Go's os.FileMode, which is not the system's st_mode.
const DIRECTORY = 2 ** 31;
const SYMLINK = 2 ** 27;
const DEVICE = 2 ** 26;
const NAMED_PIPE = 2 ** 25;
const SOCKET = 2 ** 24;
const SETUID = 2 ** 23;
const SETGID = 2 ** 22;
const CHARACTER = 2 ** 21;
const STICKY = 2 ** 20;

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
  const special = [
    { bit: SETUID, value: 0o4000 },
    { bit: SETGID, value: 0o2000 },
    { bit: STICKY, value: 0o1000 },
  ];
  return special.reduce((sum, { bit, value }) => sum + (has(mode, bit) ? value : 0), mode & 0o777);
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
