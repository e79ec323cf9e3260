import { closeSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadLibc } from '../host/libc.ts';
import type { Libc } from '../host/types.ts';
import { findWorkspace, openInWorkspaces, openWorkspaces, type Workspace } from './workspace.ts';

describe('findWorkspace', () => {
  const outer: Workspace = { fd: 1, paths: ['/srv/job', '/data/job'] };
  const inner: Workspace = { fd: 2, paths: ['/srv/job/cache'] };
  const found = (path: string): unknown => {
    const place = findWorkspace([outer, inner], path);
    return place && [place.workspace.fd, place.rest];
  };

  it.each([
    ['/srv/job', [1, '']],
    ['/srv/job/a/b', [1, 'a/b']],
    ['/data/job/a', [1, 'a']],
    ['/srv/job/cache', [2, '']],
    ['/srv/job/cache/x', [2, 'x']],
    ['/srv/job/cachet', [1, 'cachet']],
    ['/srv/jobs', undefined],
    ['/srv', undefined],
    ['/', undefined],
  ])('%s: the longest prefix, of whole names', (path, expected) => {
    expect(found(path)).toEqual(expected);
  });

  it('takes the root directory as a workspace', () => {
    expect(findWorkspace([{ fd: 3, paths: ['/'] }], '/etc/x')).toMatchObject({ rest: 'etc/x' });
  });
});

describe('openInWorkspaces', () => {
  let top = '';
  let libc: Libc;
  let workspaces: readonly Workspace[] = [];
  const open = async (path: string, create = false): Promise<string> => {
    const file = await openInWorkspaces({ libc, workspaces }, join(top, path), create);
    try {
      return (await readlink(file.path)).slice(top.length);
    } finally {
      file.close();
    }
  };
  beforeAll(async () => {
    top = mkdtempSync(join(tmpdir(), 'berth-workspace-'));
    for (const name of ['one/sub/deep', 'two', 'outside']) mkdirSync(join(top, name), { recursive: true });
    writeFileSync(join(top, 'one/sub/file'), '');
    const links = {
      relative: 'sub',
      absolute: join(top, 'one/sub'),
      around: '../one/sub',
      across: join(top, 'two'),
      out: '../outside',
      away: '/etc',
      loop: 'loop',
      dangling: 'made-behind-a-link',
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(top, 'one', name));
    symlinkSync(join(top, 'one'), join(top, 'alias'));
    libc = await loadLibc();
    workspaces = await openWorkspaces([join(top, 'alias'), join(top, 'two')]);
  });
  afterAll(() => {
    for (const { fd } of workspaces) closeSync(fd);
    rmSync(top, { recursive: true });
  });

  it.each([
    ['one', '/one'],
    ['alias/sub/file', '/one/sub/file'],
    ['one/relative/deep', '/one/sub/deep'],
    ['one/absolute/file', '/one/sub/file'],
    ['one/around/file', '/one/sub/file'],
    ['one/across', '/two'],
    ['one/relative/../sub', '/one/sub'],
  ])('%s is %s', async (path, real) => {
    expect(await open(path)).toBe(real);
  });

  it.each(['outside', 'one/out', 'one/away/passwd', 'one/sub/../../outside', '../..'])(
    '%s is outside',
    async (path) => {
      await expect(open(path)).rejects.toMatchObject({ kind: 'PermissionDenied' });
      await expect(open(path, true)).rejects.toThrow('--workspace');
    },
  );

  it('gives up on links in a circle', async () => {
    await expect(open('one/loop')).rejects.toThrow('too many links');
  });

  it('makes what is missing only when asked to, behind links too', async () => {
    await expect(open('one/new/dir')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await open('one/relative/new/dir', true)).toBe('/one/sub/new/dir');
    expect(await open('one/dangling', true)).toBe('/one/made-behind-a-link');
    expect(statSync(join(top, 'one/sub/new')).mode & 0o777).toBe(0o755);
    await expect(open('one/sub/file/below', true)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it('refuses a workspace that is not a directory', async () => {
    for (const name of ['none', 'one/sub/file'])
      await expect(openWorkspaces([join(top, name)])).rejects.toThrow(
        `${join(top, name)} is not a directory`,
      );
  });
});
