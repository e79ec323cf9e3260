import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Mount } from '../containerd/types.ts';
import { loadLibc } from '../host/libc.ts';
import { createHostMounts } from '../host/mounts.ts';
import type { HostMounts, InnerMount, Libc } from '../host/types.ts';
import { openView } from './open-view.ts';

let directory: string;
let libc: Libc;
let mounts: HostMounts;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-view-'));
  for (const name of ['lower/etc', 'upper', 'work', 'volume'])
    mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, 'volume/file'), 'of the volume');
  libc = await loadLibc();
  mounts = createHostMounts({ libc, directory: join(directory, 'points') });
});
afterEach(async () => {
  await mounts.unmountBelow(directory);
  rmSync(directory, { recursive: true });
});

const snapshot = (): readonly Mount[] => {
  const at = (name: string): string => join(directory, name);
  const options = [`lowerdir=${at('lower')}`, `upperdir=${at('upper')}`, `workdir=${at('work')}`];
  return [{ type: 'overlay', source: 'overlay', target: '', options }];
};

async function writeInto(isRead: boolean, inner: readonly InnerMount[]): Promise<void> {
  const root = await openView({ libc, mounts }, { mounts: snapshot(), inner, isRead });
  try {
    if (inner.length > 0) await writeFile(`/proc/self/fd/${root.fd}${inner[0]?.target ?? ''}/beside`, '');
    await writeFile(`/proc/self/fd/${root.fd}/etc/new`, '');
  } finally {
    root.close();
  }
}

test('what is only read is mounted so that its end waits for no disk, unless a target has to be made', async () => {
  const volume: InnerMount = { source: join(directory, 'volume'), target: '/data', isReadOnly: false };
  await expect(writeInto(true, [])).rejects.toMatchObject({ code: 'EROFS' });
  await writeInto(true, [volume]);
  await expect(writeInto(true, [volume])).rejects.toMatchObject({ code: 'EROFS' });
  await writeInto(false, [volume]);
});
