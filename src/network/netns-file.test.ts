import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { nameNetns } from './netns-file.ts';

test('a name is given though others take the empty directory away meanwhile', async () => {
  const above = mkdtempSync(join(tmpdir(), 'berth-netns-'));
  const directory = join(above, 'netns');
  const name = join(directory, 'berth-a');
  let isDone = false;
  const removeOn = async (): Promise<void> => {
    while (!isDone) await rmdir(directory).catch(() => undefined);
  };
  const removing = [removeOn(), removeOn()];
  try {
    for (let times = 0; times < 300; times += 1) {
      nameNetns('/somewhere', name);
      expect(readlinkSync(name)).toBe('/somewhere');
      await rm(name);
    }
  } finally {
    isDone = true;
    await Promise.all(removing);
    rmSync(above, { recursive: true });
  }
});
