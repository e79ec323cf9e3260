import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAppArmorProfiles } from './apparmor.ts';

test('reads the names, with blanks in them too, and nothing where there is no AppArmor', async () => {
  const directory = await mkdtemp('/tmp/berth-apparmor-');
  try {
    const path = join(directory, 'profiles');
    await writeFile(path, 'docker-default (enforce)\n/usr/bin/man (complain)\na name//child (enforce)\n');
    expect(await readAppArmorProfiles(path)).toEqual(['docker-default', '/usr/bin/man', 'a name//child']);
    expect(await readAppArmorProfiles(join(directory, 'absent'))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
