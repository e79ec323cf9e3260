import { lstat, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EngineError } from '../errors.ts';
import { isErrno } from '../host/errors.ts';

const GROUP_OR_OTHER_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * InvalidArgument where anybody but root could put another directory in the path's place: binds are staged below it, and
 * the runtime mounts as root what it finds there. Parts that do not exist yet will be root's own.
 */
export async function checkAncestry(path: string): Promise<void> {
  for (const directory of ancestorsOf(resolve(path))) {
    const isThere = await checkDirectory(directory);
    if (!isThere) return;
  }
  for (const directory of ancestorsOf(await realpath(path))) await checkDirectory(directory);
}

/** The path and all above it, from the top. */
function ancestorsOf(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [path] : [...ancestorsOf(above), path];
}

async function checkDirectory(path: string): Promise<boolean> {
  const facts = await lstat(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!facts) return false;
  if (facts.uid !== 0) throw untrusted(path, `it belongs to user ${facts.uid}`);
  const isOpen = (facts.mode & GROUP_OR_OTHER_WRITE) !== 0 && (facts.mode & STICKY) === 0;
  // The bits of a link mean nothing: who may replace it is a matter of the directory that it is in.
  if (isOpen && !facts.isSymbolicLink()) throw untrusted(path, 'others than its owner may write to it');
  return true;
}

function untrusted(path: string, reason: string): EngineError {
  return new EngineError(
    'InvalidArgument',
    `the state directory cannot be trusted: ${path} is part of its path, and ${reason}. ` +
      'Use a --root whose path only root can change (chown root, chmod go-w)',
  );
}
