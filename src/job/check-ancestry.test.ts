import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkAncestry } from './check-ancestry.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'berth-ancestry-'));
  mkdirSync(join(top, 'a/b'), { recursive: true });
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

it('trusts what is only for root to change, and what is not there yet', async () => {
  await checkAncestry(join(top, 'a/b'));
  await checkAncestry(join(top, 'a/b/new/job'));
  expect(existsSync(join(top, 'a/b/new'))).toBe(false);
});

it.each([0o777, 0o770, 0o707])('refuses a parent with mode %o', async (mode) => {
  chmodSync(join(top, 'a'), mode);
  await expect(checkAncestry(join(top, 'a/b/new'))).rejects.toThrow(`${join(top, 'a')} is part of its path`);
});

it('trusts a sticky one: nobody can rename what is of root there', async () => {
  chmodSync(join(top, 'a'), 0o1777);
  await checkAncestry(join(top, 'a/b'));
});

it('refuses one that belongs to somebody else, behind a link too', async () => {
  chownSync(join(top, 'a'), 1000, 1000);
  symlinkSync(join(top, 'a/b'), join(top, 'link'));
  for (const path of ['a/b', 'link'])
    await expect(checkAncestry(join(top, path))).rejects.toMatchObject({
      kind: 'InvalidArgument',
      message: expect.stringContaining('it belongs to user 1000') as string,
    });
});
