import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findLeaks, parseMounts, takeSnapshot } from './leaks.ts';

const settleMs = 10_000;
const namedNetns = '/run/netns';

async function isMountPoint(path: string): Promise<boolean> {
  const places = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  return places.some((place) => place.startsWith(`${path} (`));
}

/** The first `ip netns add` on a machine mounts the directory on itself, and nothing of iproute2 undoes that. */
async function unmountNamedNetns(): Promise<void> {
  if (!(await isMountPoint(namedNetns))) return;
  if ((await readdir(namedNetns)).length === 0) await promisify(execFile)('umount', [namedNetns]);
}

/** Takes stock before a suite; the function it returns fails the run where anything is left after it. */
export async function setup(): Promise<() => Promise<void>> {
  const wasMounted = await isMountPoint(namedNetns);
  const before = await takeSnapshot();
  return async () => {
    if (!wasMounted) await unmountNamedNetns();
    const leaks = await findLeaks(before, settleMs);
    if (leaks.length === 0) return;
    const report = `${leaks.length} left on this machine by the tests:\n  ${leaks.join('\n  ')}`;
    // For a machine on which somebody else works at the same time: the leaks are shown all the same.
    process.stderr.write(`${report}\n`);
    // vitest prints what a teardown throws, and exits with 0 all the same.
    if (process.env['BERTH_TEST_LEAKS'] !== 'report') process.exitCode = 1;
  };
}
