import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Containerd } from '../containerd/types.ts';
import { errnoCode } from '../host/errors.ts';
import type { HostProcesses, ProcessIdentity } from '../host/types.ts';

/** Where containerd's shims listen, whatever their containerd's own directories are. */
const SHIM_SOCKETS = '/run/containerd/s';

interface Shim extends ProcessIdentity {
  /** The task it was started for. */
  readonly id: string;
}

/**
 * Ends the shims of a namespace that has no tasks any more. A client that dies while containerd deletes its task takes
 * the order to shut down with it: the shim stays, and containerd has forgotten it. Idempotent.
 */
export async function endShims(
  processes: HostProcesses,
  { address, namespace }: Pick<Containerd, 'address' | 'namespace'>,
): Promise<void> {
  for (const shim of await findShims(processes, { address, namespace })) {
    await processes.kill(shim, 'SIGKILL');
    // containerd's name for it: a digest of its own address, the namespace and the task.
    const name = createHash('sha256')
      .update(join(address, namespace, shim.id))
      .digest('hex');
    await rm(join(SHIM_SOCKETS, name), { force: true });
  }
}

async function findShims(
  processes: HostProcesses,
  wanted: { readonly address: string; readonly namespace: string },
): Promise<readonly Shim[]> {
  const found: Shim[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || !isNamedShim(entry)) continue;
    // Asked for before the words are read: a number that is given away in between is then no match.
    const identity = await processes.identify(Number(entry));
    const words = await readWords(entry);
    const option = (name: string): string | undefined => words[words.indexOf(name) + 1];
    const isShim = basename(words[0] ?? '').startsWith('containerd-shim') && words.includes('-id');
    if (!identity || !isShim) continue;
    if (option('-namespace') === wanted.namespace && option('-address') === wanted.address)
      found.push({ ...identity, id: option('-id') ?? '' });
  }
  return found;
}

// By the kernel's name of it, directly: to read the words of all the host's processes took 0.3 to 1 s on a busy machine, 40 times as
// long, and those of a container's process may make a reader wait for ever; its name never does.
function isNamedShim(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('containerd-shim');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoCode(error) ?? '')) return false;
    throw error;
  }
}

async function readWords(pid: string): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoCode(error) ?? '')) return [];
    throw error;
  }
}
