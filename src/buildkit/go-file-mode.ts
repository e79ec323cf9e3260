// Bits of Go's os.FileMode, which is not the system's st_mode.
export const DIRECTORY = 2 ** 31;
export const SYMLINK = 2 ** 27;
export const DEVICE = 2 ** 26;
export const NAMED_PIPE = 2 ** 25;
export const SOCKET = 2 ** 24;
export const SETUID = 2 ** 23;
export const SETGID = 2 ** 22;
export const CHARACTER = 2 ** 21;
export const STICKY = 2 ** 20;

/** The bits beside permissions, in Go's form and the system's. */
export const SPECIAL_BITS = [
  { go: SETUID, value: 0o4000 },
  { go: SETGID, value: 0o2000 },
  { go: STICKY, value: 0o1000 },
];
