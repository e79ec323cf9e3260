import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { loadLibc } from './libc.ts';
import { createHostMounts, parseMountInfo } from './mounts.ts';
import type { HostMounts, Libc } from './types.ts';

describe('host mounts', () => {
  let directory = '';
  let libc: Libc;
  let mounts: HostMounts;
  const below = async (): Promise<string[]> =>
    (await mounts.list()).map((entry) => entry.mountPoint).filter((path) => path.startsWith(`${directory}/`));
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-mounts-'));
    libc = await loadLibc();
    mounts = createHostMounts({ libc, directory: join(directory, 'points') });
  });
  afterAll(async () => {
    await mounts.unmountBelow(directory);
    rmSync(directory, { recursive: true });
  });

  test('mountinfo is parsed with optional fields and escaped blanks', () => {
    const line = String.raw`36 35 98:0 /a\040b /mnt\040x rw,noatime master:1 shared:2 - ext3 /dev/\134r rw,errors=continue`;
    expect(parseMountInfo(`${line}\n`)).toEqual([
      {
        id: 36,
        parentId: 35,
        root: '/a b',
        mountPoint: '/mnt x',
        options: 'rw,noatime',
        fsType: 'ext3',
        source: '/dev/\\r',
        superOptions: 'rw,errors=continue',
        device: '98:0',
      },
    ]);
  });

  test('an overlay of a hundred deep layers is opened although its options exceed a page', async () => {
    const lower = Array.from({ length: 110 }, (_, index) => {
      const layer = join(directory, 'a-rather-long-name-for-a-directory-of-layers', `${index}`, 'fs');
      mkdirSync(layer, { recursive: true });
      writeFileSync(join(layer, `file-${index}`), `${index}`);
      return layer;
    });
    const [upper, work] = [join(directory, 'upper,1'), join(directory, 'work')];
    mkdirSync(upper);
    mkdirSync(work);
    const options = ['index=off', `workdir=${work}`, `upperdir=${upper}`, `lowerdir=${lower.join(':')}`];
    expect(options.join(',').length).toBeGreaterThan(4096);
    const detached = await mounts.openDetached([{ type: 'overlay', source: 'overlay', target: '', options }]);
    expect(readFileSync(`/proc/self/fd/${detached.fd}/file-0`, 'utf8')).toBe('0');
    expect(readFileSync(`/proc/self/fd/${detached.fd}/file-109`, 'utf8')).toBe('109');
    writeFileSync(`/proc/self/fd/${detached.fd}/new`, 'written');
    expect(readFileSync(join(upper, 'new'), 'utf8')).toBe('written');
    expect(await below()).toEqual([]);
    expect(readdirSync(join(directory, 'points'))).toEqual([]);
    detached.close();
  });

  test('a read-only bind stays read-only, and a failed mount leaves nothing', async () => {
    const source = join(directory, 'bound');
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'bound');
    const bind = { type: 'bind', source, target: '', options: ['ro', 'rbind'] };
    const detached = await mounts.openDetached([bind]);
    expect(readFileSync(`/proc/self/fd/${detached.fd}/file`, 'utf8')).toBe('bound');
    expect(() => writeFileSync(`/proc/self/fd/${detached.fd}/file`, '')).toThrow('EROFS');
    detached.close();
    await expect(
      mounts.openDetached([bind, { ...bind, source: '/no/such', target: '' }]),
    ).rejects.toMatchObject({
      kind: 'NotFound',
    });
    expect(await below()).toEqual([]);
    expect(readdirSync(join(directory, 'points'))).toEqual([]);
  });

  test('unmountBelow removes mounts stacked and nested, and nothing beside them', async () => {
    const [top, beside] = [join(directory, 'top'), join(directory, 'top-beside')];
    const mountAt = (target: string): void => {
      mkdirSync(target, { recursive: true });
      libc.mount({ source: 'berth-test', target, type: 'tmpfs', flags: 0, data: 'size=16k' });
    };
    [top, top, join(top, 'inner space'), beside].forEach(mountAt);
    await mounts.unmountBelow(top);
    expect(await below()).toEqual([beside]);
    await mounts.unmountBelow(top);
    await mounts.unmountBelow(beside);
    expect(await below()).toEqual([]);
    expect(existsSync(join(top, 'inner space'))).toBe(false);
  });
});
