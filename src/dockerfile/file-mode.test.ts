import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseFileMode } from './file-mode.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-mode-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** What the machine's chmod makes of it. */
function withChmod(text: string, mode: number, isDirectory: boolean): number {
  const path = join(directory, isDirectory ? 'd' : 'f');
  if (isDirectory) mkdirSync(path, { recursive: true });
  else writeFileSync(path, '');
  chmodSync(path, mode);
  execFileSync('sh', ['-c', 'umask 0; chmod -- "$1" "$2"', 'sh', text, path]);
  return statSync(path).mode & 0o7777;
}

describe.each([
  ['a file', 0o640, false],
  ['a program', 0o4751, false],
  ['a directory', 0o2755, true],
] as const)('%s', (_, mode, isDirectory) => {
  test.each([
    ...['+x', 'a+rX', 'u=rwX,go=rX', 'go-rwx', 'u+s', 'g-s', '+t', 'o=', 'g=u', 'o=g,u-w', '=r', 'ug+w-x'],
    ...['u=rwx,g=rx,o=r', 'a=rwxt', '755', '0600', 'u+rw,u-x', '-X'],
  ])('%s as chmod does', (text) => {
    // A number leaves a directory its set-id bits with chmod(1); of a Dockerfile it is the mode.
    const expected = /^\d/.test(text) ? parseInt(text, 8) : withChmod(text, mode, isDirectory);
    expect(parseFileMode(text)?.(mode, isDirectory)).toBe(expected);
  });
});

test.each(['', '99', '12345', 'x+u', 'u', 'u+rg', 'u+r,', ',', 'u+é', 'rwx'])('%j is neither', (text) => {
  expect(parseFileMode(text)).toBeUndefined();
});
