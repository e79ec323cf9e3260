import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { extract, pack, type Header } from 'tar-stream';

import { loadLibc } from '../host/libc.ts';
import { createHostMounts } from '../host/mounts.ts';
import { createRootfsAccess } from './rootfs-access.ts';
import { createTestGuard } from './test-guard.ts';
import type { RootfsAccess, RootHandle, WriteArchiveOptions } from './types.ts';

/** An entry of a tar made for a test. */
export type TestEntry = Partial<Header> & { readonly name: string; readonly content?: string };

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** What an archive is written with unless a test says otherwise. */
export const plain: WriteArchiveOptions = { noOverwriteDirNonDir: false, copyUidGid: true, signal: never };

/** A root directory on this machine with an `etc` in it, and beside it `outside`, which nothing may touch. */
export interface TestRoot {
  readonly directory: string;
  readonly rootPath: string;
  readonly outside: string;
  readonly access: RootfsAccess;
  readonly root: RootHandle;
  /** Run at the end. */
  readonly cleanups: (() => void)[];
  readonly put: (
    entries: readonly TestEntry[],
    path?: string,
    options?: Partial<WriteArchiveOptions>,
  ) => Promise<void>;
  /** What is in an archive, as tar(1) lists it without owners, sizes and times. */
  readonly list: (path: string, from?: RootHandle) => Promise<string[]>;
  dispose(): Promise<void>;
}

/** Makes a tar with tar-stream. */
export async function makeTar(entries: readonly TestEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of entries) archive.entry({ mode: 0o644, ...header }, content ?? '');
  archive.finalize();
  return buffer(Readable.from(archive));
}

/** Makes the root and opens it as a stopped container's. */
export async function createTestRoot(): Promise<TestRoot> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-rootfs-'));
  const rootPath = join(directory, 'root');
  const outside = join(directory, 'outside');
  mkdirSync(join(rootPath, 'etc'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'of the host');
  const libc = await loadLibc();
  const mounts = createHostMounts({ libc, directory: join(directory, 'points') });
  const access = createRootfsAccess({ libc, mounts, guard: await createTestGuard({ mounts, directory }) });
  const root = await access.openMounts([
    { type: 'bind', source: rootPath, target: '', options: ['rbind', 'rw'] },
  ]);
  const cleanups: (() => void)[] = [];
  return {
    directory,
    rootPath,
    outside,
    access,
    root,
    cleanups,
    async put(entries, path = '/', options = {}) {
      const tar = Readable.from([await makeTar(entries)]);
      await access.writeArchive({ root, path }, tar, { ...plain, ...options });
    },
    async list(path, from = root) {
      const { tar } = await access.readArchive(from, path, never);
      const parser = extract();
      parser.end(await buffer(tar));
      const lines: string[] = [];
      for await (const entry of parser) {
        lines.push(listEntry(entry.header));
        entry.resume();
      }
      return lines;
    },
    async dispose() {
      await root.close();
      for (const cleanup of cleanups) cleanup();
      rmSync(directory, { recursive: true });
    },
  };
}

const typeLetters: Readonly<Record<Header['type'], string>> = {
  file: '-',
  'contiguous-file': '-',
  directory: 'd',
  symlink: 'l',
  link: 'h',
  fifo: 'p',
  'character-device': 'c',
  'block-device': 'b',
};

function listEntry({ type, mode, name, linkname }: Header): string {
  const letters = Array.from('rwxrwxrwx', (letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'));
  if ((mode & 0o1000) !== 0) letters[8] = 't';
  const link = type === 'symlink' ? ` -> ${linkname}` : type === 'link' ? ` link to ${linkname}` : '';
  return `${typeLetters[type]}${letters.join('')} ${name}${link}`;
}
