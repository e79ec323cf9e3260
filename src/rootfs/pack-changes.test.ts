import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { extract } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Mount } from '../containerd/types.ts';
import { loadLibc } from '../host/libc.ts';
import { createHostMounts } from '../host/mounts.ts';
import { createRootfsAccess } from './rootfs-access.ts';
import { createTestGuard } from './test-guard.ts';
import { never } from './test-root.ts';
import type { RootfsAccess } from './types.ts';

let directory: string;
let access: RootfsAccess;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-layer-'));
  const libc = await loadLibc();
  const mounts = createHostMounts({ libc, directory: join(directory, 'points') });
  access = createRootfsAccess({ libc, mounts, guard: await createTestGuard({ mounts, directory }) });
  for (const name of ['lower', 'upper', 'work']) mkdirSync(join(directory, name));
  for (const name of ['changed', 'removed', 'becomes-directory', 'owned'])
    writeFileSync(join(directory, 'lower', name), 'old');
  for (const name of ['etc', 'gone/deep', 'opaque', 'quiet', 'becomes-file', 'timed'])
    mkdirSync(join(directory, 'lower', name), { recursive: true });
  for (const name of ['etc/file', 'gone/deep/file', 'opaque/file', 'quiet/file'])
    writeFileSync(join(directory, 'lower', name), 'old');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function overlay(): readonly Mount[] {
  const at = (name: string): string => join(directory, name);
  const options = [
    'index=off',
    `workdir=${at('work')}`,
    `upperdir=${at('upper')}`,
    `lowerdir=${at('lower')}`,
  ];
  return [{ type: 'overlay', source: 'overlay', target: '', options }];
}

async function within(act: (root: string) => void): Promise<void> {
  const root = await access.openMounts(overlay());
  try {
    act(`/proc/${process.pid}/fd/${root.fd}`);
  } finally {
    await root.close();
  }
}

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly content: string;
}

async function pack(mountPoints: readonly string[] = [], mounts = overlay()): Promise<Buffer> {
  const layer = await access.exportChanges(mounts, {
    mountPoints: new Set(mountPoints),
    signal: never,
  });
  try {
    return await buffer(layer.tar);
  } finally {
    await layer.close();
  }
}

async function entriesOf(bytes: Buffer): Promise<Entry[]> {
  const entries: Entry[] = [];
  const tar = extract();
  tar.end(bytes);
  for await (const entry of tar) {
    const { name, type, linkname } = entry.header;
    // tar-stream says null where its types say that there is always a string.
    const content = (linkname as string | null) ?? (await buffer(entry)).toString();
    entries.push({ name, type, content });
    entry.resume();
  }
  return entries;
}

async function shown(mountPoints: readonly string[] = []): Promise<string[]> {
  const entries = await entriesOf(await pack(mountPoints));
  return entries.map(({ name, type, content }) => `${type} ${name}${content === '' ? '' : ` ${content}`}`);
}

describe('a layer of what was changed', () => {
  test('of nothing is the empty tar', async () => {
    expect((await pack()).equals(Buffer.alloc(1024))).toBe(true);
  });

  test('has what was added, changed and removed, below the directories above it', async () => {
    await within((root) => {
      writeFileSync(`${root}/changed`, 'new');
      rmSync(`${root}/removed`);
      rmSync(`${root}/gone`, { recursive: true });
      mkdirSync(`${root}/etc/new/deep`, { recursive: true });
      writeFileSync(`${root}/etc/new/deep/file`, 'new');
      symlinkSync('../changed', `${root}/etc/link`);
    });
    expect(await shown()).toEqual([
      'file .wh.gone',
      'file .wh.removed',
      'file changed new',
      'directory etc/',
      'symlink etc/link ../changed',
      'directory etc/new/',
      'directory etc/new/deep/',
      'file etc/new/deep/file new',
    ]);
  });

  test('hides what a directory that was made anew does not have any more', async () => {
    await within((root) => {
      rmSync(`${root}/opaque`, { recursive: true });
      mkdirSync(`${root}/opaque`);
      writeFileSync(`${root}/opaque/other`, 'new');
    });
    expect(await shown()).toEqual(['directory opaque/', 'file opaque/.wh.file', 'file opaque/other new']);
  });

  test('has a directory in the place of a file, and a file in the place of a directory', async () => {
    await within((root) => {
      rmSync(`${root}/becomes-directory`);
      mkdirSync(`${root}/becomes-directory`);
      writeFileSync(`${root}/becomes-directory/file`, 'new');
      rmSync(`${root}/becomes-file`, { recursive: true });
      writeFileSync(`${root}/becomes-file`, 'new');
    });
    expect(await shown()).toEqual([
      'file becomes-file new',
      'directory becomes-directory/',
      'file becomes-directory/file new',
    ]);
  });

  test('has a directory whose mode or time alone was changed, and a whole file whose mode was', async () => {
    await within((root) => {
      chmodSync(`${root}/quiet`, 0o700);
      chmodSync(`${root}/owned`, 0o600);
      utimesSync(`${root}/timed`, 5, 5);
    });
    expect(await shown()).toEqual(['file owned old', 'directory quiet/', 'directory timed/']);
  });

  test('leaves out what was only made for mounts', async () => {
    await within((root) => {
      writeFileSync(`${root}/etc/hosts`, '');
      mkdirSync(`${root}/proc`);
      mkdirSync(`${root}/data/volume`, { recursive: true });
    });
    expect(await shown(['/etc/hosts', '/proc', '/data/volume'])).toEqual([]);
    await within((root) => {
      writeFileSync(`${root}/data/kept`, 'new');
    });
    expect(await shown(['/etc/hosts', '/proc', '/data/volume'])).toEqual([
      'directory data/',
      'file data/kept new',
    ]);
  });

  test('keeps hard links, names that are not text, and file capabilities', async () => {
    await within((root) => {
      writeFileSync(`${root}/first`, 'same');
      linkSync(`${root}/first`, `${root}/second`);
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x6e, 0xff])]), 'odd');
      writeFileSync(`${root}/program`, 'x', { mode: 0o755 });
      execFileSync('setcap', ['cap_net_raw+ep', `${root}/program`]);
    });
    const bytes = await pack();
    const entries = await entriesOf(bytes);
    expect(entries.map(({ name, type, content }) => [name, type, content]).slice(0, 1)).toEqual([
      ['first', 'file', 'same'],
    ]);
    expect(entries.find(({ name }) => name === 'second')).toMatchObject({ type: 'link', content: 'first' });
    expect(bytes.includes(Buffer.from([0x3d, 0x6e, 0xff, 0x0a]))).toBe(true);
    expect(bytes.includes(Buffer.from('SCHILY.xattr.security.capability='))).toBe(true);
  });

  test('of a snapshot without a parent is all that is in it', async () => {
    const bind: Mount = {
      type: 'bind',
      source: join(directory, 'lower'),
      target: '',
      options: ['rw', 'rbind'],
    };
    const names = (await entriesOf(await pack([], [bind]))).map(({ name }) => name);
    expect(names).toContain('changed');
    expect(names).toContain('gone/deep/file');
  });
});
