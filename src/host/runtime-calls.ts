import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ProcessRef } from '../containerd/types.ts';
import { createLimiter } from '../lib/limiter.ts';
import { isErrno } from './errors.ts';
import type { HostProcesses, ProcessIdentity, RuntimeCalls } from './types.ts';

/** How long the runtime has for telling what became of a process that was killed under its hands. */
const patienceMs = 2_000;
const pollMs = 50;

/** Calls of the OCI runtime that containerd's shims have made, found in /proc. */
export function createRuntimeCalls(processes: HostProcesses): RuntimeCalls {
  const oneByOne = createLimiter(1);
  return {
    endStart: (started) =>
      oneByOne.run(async () => {
        const calls = await findStarts(processes, started);
        for (const call of calls) await endCall(processes, call);
        return calls.length > 0;
      }),
  };
}

async function findStarts(
  processes: HostProcesses,
  { containerId, execId = 'init' }: ProcessRef,
): Promise<readonly ProcessIdentity[]> {
  // The shim names the file for the number of each process after container and exec, whose ids are random.
  const pidFile = `/${containerId}/${execId}.pid`;
  const found: ProcessIdentity[] = [];
  for (const pid of await listPids()) {
    const words = (await readFileOf(pid, 'cmdline')).split('\0');
    if (!words[words.indexOf('--pid-file') + 1]?.endsWith(pidFile)) continue;
    const identity = await processes.identify(pid);
    if (identity) found.push(identity);
  }
  return found;
}

/** The runtime has more to say, and to tidy up, unless the kernel holds on to what it started. */
async function endCall(processes: HostProcesses, call: ProcessIdentity): Promise<void> {
  for (const end = Date.now() + patienceMs; Date.now() < end;) {
    await killStarted(processes, call);
    await processes.kill(call, 'SIGCONT');
    await sleep(pollMs);
    if (!(await processes.isAlive(call))) return;
  }
  await killStarted(processes, call);
  await processes.kill(call, 'SIGKILL');
}

/** Stops the call, so that it starts nothing more and what its children start stays below it, and kills all of that. */
async function killStarted(processes: HostProcesses, call: ProcessIdentity): Promise<void> {
  await processes.kill(call, 'SIGSTOP');
  const killed = new Set<number>();
  for (;;) {
    const fresh = (await descendantsOf(call.pid)).filter((pid) => !killed.has(pid));
    if (fresh.length === 0) return;
    for (const pid of fresh) {
      killed.add(pid);
      const inner = await processes.identify(pid);
      if (inner) await processes.kill(inner, 'SIGKILL');
    }
  }
}

async function descendantsOf(ancestor: number): Promise<readonly number[]> {
  const children = new Map<number, number[]>();
  for (const pid of await listPids()) {
    const parent = Number(/^PPid:\s*(\d+)$/m.exec(await readFileOf(pid, 'status'))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const below = (pid: number): readonly number[] =>
    (children.get(pid) ?? []).flatMap((child) => [...below(child), child]);
  return below(ancestor);
}

async function listPids(): Promise<readonly number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function readFileOf(pid: number, name: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}
