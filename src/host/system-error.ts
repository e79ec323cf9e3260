import { constants as osConstants } from 'node:os';

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(osConstants.errno).map(([name, value]) => [value, name]),
);

/** A failed call in the shape of node:fs's errors. */
export function systemError(syscall: string, errno: number, path: string): Error {
  const code = errnoNames.get(errno) ?? `E${errno}`;
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, errno, syscall });
}
