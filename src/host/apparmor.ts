import { readFile } from 'node:fs/promises';
import { EngineError } from '../errors.ts';
import { DEFAULT_PROFILE, DEFAULT_PROFILE_TEXT } from './apparmor-profile.ts';
import { isErrno, toEngineError } from './errors.ts';
import type { HostProcesses } from './types.ts';

const PROFILES = '/sys/kernel/security/apparmor/profiles';

/** Names of the AppArmor profiles that the kernel has been given; none where it has no AppArmor. */
export async function readAppArmorProfiles(path = PROFILES): Promise<readonly string[]> {
  try {
    const text = await readFile(path, 'utf8');
    return text.split('\n').flatMap((line) => /^(.+) \([a-z]+\)$/.exec(line)?.[1] ?? []);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw toEngineError(error, 'cannot read the AppArmor profiles');
  }
}

/**
 * Gives the kernel Docker's default profile where it has none of that name; answers the names of all it has. It stays:
 * containers of other jobs, and of a dockerd, may run under it. Unavailable where it cannot be loaded.
 */
export async function ensureDefaultProfile(
  processes: Pick<HostProcesses, 'run'>,
  path = PROFILES,
): Promise<readonly string[]> {
  const loaded = await readAppArmorProfiles(path);
  if (loaded.includes(DEFAULT_PROFILE)) return loaded;
  // The cache is the distribution's; replacing is adding where there is none, also when another job is as fast.
  const { code, stderr } = await processes.run(['apparmor_parser', '--replace', '--skip-cache'], {
    stdin: DEFAULT_PROFILE_TEXT,
  });
  if (code !== 0)
    throw new EngineError(
      'Unavailable',
      `AppArmor profile ${DEFAULT_PROFILE} cannot be loaded: ${stderr.trim()}`,
    );
  return readAppArmorProfiles(path);
}
