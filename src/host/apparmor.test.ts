import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureDefaultProfile, readAppArmorProfiles } from './apparmor.ts';
import type { HostProcesses } from './types.ts';

let directory = '';
let path = '';
beforeEach(async () => {
  directory = await mkdtemp('/tmp/berth-apparmor-');
  path = join(directory, 'profiles');
});
afterEach(() => rm(directory, { recursive: true }));

/** A loader that puts the profile it is given into the kernel's list, or fails. */
function loader(failure?: string): Pick<HostProcesses, 'run'> & { readonly given: string[] } {
  const given: string[] = [];
  return {
    given,
    async run(argv, options) {
      given.push(argv.join(' '));
      if (failure !== undefined) return { code: 1, stdout: '', stderr: failure };
      const [, name] = /^profile (\S+) /m.exec(String(options?.stdin)) ?? [];
      await appendFile(path, `${String(name)} (enforce)\n`);
      return { code: 0, stdout: '', stderr: '' };
    },
  };
}

describe('the profiles', () => {
  test('are read by their names, with blanks in them too, and are none where there is no AppArmor', async () => {
    await writeFile(path, 'docker-default (enforce)\n/usr/bin/man (complain)\na name//child (enforce)\n');
    expect(await readAppArmorProfiles(path)).toEqual(['docker-default', '/usr/bin/man', 'a name//child']);
    expect(await readAppArmorProfiles(join(directory, 'absent'))).toEqual([]);
  });
});

describe('the default profile', () => {
  test('is loaded where the kernel has none of its name, once', async () => {
    await writeFile(path, '/usr/bin/man (enforce)\n');
    const processes = loader();
    expect(await ensureDefaultProfile(processes, path)).toEqual(['/usr/bin/man', 'docker-default']);
    expect(await ensureDefaultProfile(processes, path)).toEqual(['/usr/bin/man', 'docker-default']);
    expect(processes.given).toEqual(['apparmor_parser --replace --skip-cache']);
  });

  test("leaves a dockerd's own alone", async () => {
    await writeFile(path, 'docker-default (enforce)\n');
    const processes = loader();
    await ensureDefaultProfile(processes, path);
    expect(processes.given).toEqual([]);
  });

  test('that cannot be loaded is an error with the reason', async () => {
    await writeFile(path, '');
    await expect(ensureDefaultProfile(loader('syntax error'), path)).rejects.toThrow('syntax error');
  });
});
