import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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
  directory = mkdtempSync(join(tmpdir(), 'berth-changes-'));
  const libc = await loadLibc();
  const mounts = createHostMounts({ libc, directory: join(directory, 'points') });
  access = createRootfsAccess({ libc, mounts, guard: await createTestGuard({ mounts, directory }) });
  for (const name of ['bottom', 'middle', 'upper', 'work']) mkdirSync(join(directory, name));
  for (const name of ['kept', 'changed', 'removed', 'replaced'])
    writeFileSync(join(directory, 'bottom', name), 'old');
  for (const name of ['etc', 'gone/deep', 'opaque', 'quiet', 'proc']) {
    mkdirSync(join(directory, 'bottom', name), { recursive: true });
    writeFileSync(join(directory, 'bottom', name, 'file'), 'old');
  }
  writeFileSync(join(directory, 'middle', 'of-the-middle'), 'old');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function overlay(...lowers: readonly string[]): readonly Mount[] {
  const at = (name: string): string => join(directory, name);
  const options = [`workdir=${at('work')}`, `upperdir=${at('upper')}`];
  return [
    {
      type: 'overlay',
      source: 'overlay',
      target: '',
      options: ['index=off', ...options, `lowerdir=${lowers.map(at).join(':')}`],
    },
  ];
}

/** Does something in the overlay as its container would. */
async function within(mounts: readonly Mount[], act: (root: string) => void): Promise<void> {
  const root = await access.openMounts(mounts);
  try {
    act(`/proc/self/fd/${root.fd}`);
  } finally {
    await root.close();
  }
}

async function changesOf(mounts: readonly Mount[], mountPoints: readonly string[] = []): Promise<string[]> {
  const found: string[] = [];
  const options = { mountPoints: new Set(mountPoints), signal: never };
  for await (const { path, kind } of access.readChanges(mounts, options))
    found.push(`${kind.charAt(0)} ${path}`);
  return found;
}

describe.each([{ lowers: ['bottom'] }, { lowers: ['middle', 'bottom'] }])('over $lowers', ({ lowers }) => {
  test('nothing was changed', async () => {
    expect(await changesOf(overlay(...lowers))).toEqual([]);
  });

  test('added, modified, removed, replaced, and the directories above', async () => {
    const mounts = overlay(...lowers);
    await within(mounts, (root) => {
      writeFileSync(`${root}/changed`, 'new');
      rmSync(`${root}/removed`);
      rmSync(`${root}/gone`, { recursive: true });
      mkdirSync(`${root}/new/deep`, { recursive: true });
      writeFileSync(`${root}/new/deep/file`, '');
      writeFileSync(`${root}/etc/added`, '');
      rmSync(`${root}/replaced`);
      mkdirSync(`${root}/replaced`);
      writeFileSync(`${root}/replaced/inner`, '');
      rmSync(`${root}/opaque`, { recursive: true });
      mkdirSync(`${root}/opaque`);
      writeFileSync(`${root}/opaque/other`, '');
      writeFileSync(`${root}/quiet/passing`, '');
      rmSync(`${root}/quiet/passing`);
      chmodSync(`${root}/proc`, 0o700);
    });
    expect(await changesOf(mounts)).toEqual([
      'm /changed',
      'm /etc',
      'a /etc/added',
      'd /gone',
      'a /new',
      'a /new/deep',
      'a /new/deep/file',
      'm /opaque',
      'd /opaque/file',
      'a /opaque/other',
      'm /proc',
      'd /removed',
      'm /replaced',
      'a /replaced/inner',
    ]);
  });

  test('a directory that became a link hides what it had, and the link is not followed', async () => {
    const mounts = overlay(...lowers);
    await within(mounts, (root) => {
      rmSync(`${root}/gone`, { recursive: true });
      symlinkSync('/etc', `${root}/gone`);
    });
    expect(await changesOf(mounts)).toEqual(['m /gone']);
  });

  test('what the runtime made for its mounts is not the container’s doing', async () => {
    const mounts = overlay(...lowers);
    await within(mounts, (root) => {
      mkdirSync(`${root}/sys`);
      writeFileSync(`${root}/etc/hosts`, '');
      mkdirSync(`${root}/var/lib/data`, { recursive: true });
    });
    const mountPoints = ['/sys', '/etc/hosts', '/var/lib/data', '/used'];
    expect(await changesOf(mounts, mountPoints)).toEqual([]);
    await within(mounts, (root) => {
      writeFileSync(`${root}/etc/hosts`, 'written before the mount');
      mkdirSync(`${root}/used`);
      writeFileSync(`${root}/used/file`, '');
    });
    expect(await changesOf(mounts, mountPoints)).toEqual([
      'm /etc',
      'a /etc/hosts',
      'a /used',
      'a /used/file',
    ]);
  });

  test('the whole tree is exported by bare names, without what was removed', async () => {
    const mounts = overlay(...lowers);
    await within(mounts, (root) => {
      rmSync(`${root}/gone`, { recursive: true });
      writeFileSync(`${root}/changed`, 'new');
    });
    const exported = await access.exportTree(mounts, never);
    const parser = extract();
    parser.end(await buffer(exported.tar));
    const entries = new Map<string, string>();
    for await (const entry of parser) entries.set(entry.header.name, (await buffer(entry)).toString());
    await exported.close();
    expect(entries.get('changed')).toBe('new');
    expect(entries.get('kept')).toBe('old');
    expect([...entries.keys()].filter((name) => name.startsWith('gone') || name.startsWith('/'))).toEqual([]);
    expect(entries.has('of-the-middle')).toBe(lowers.includes('middle'));
    expect(entries.has('opaque/')).toBe(true);
  });
});

test('without an image below, everything is new', async () => {
  mkdirSync(join(directory, 'upper', 'etc'));
  writeFileSync(join(directory, 'upper', 'etc', 'file'), '');
  const mounts = [{ type: 'bind', source: join(directory, 'upper'), target: '', options: ['rbind', 'rw'] }];
  expect(await changesOf(mounts)).toEqual(['a /etc', 'a /etc/file']);
});
