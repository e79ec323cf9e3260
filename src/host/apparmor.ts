import { readFile } from 'node:fs/promises';
import { isErrno, toEngineError } from './errors.ts';

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
