import { findLeaks, takeSnapshot } from './leaks.ts';

const settleMs = 10_000;

/** Takes stock before a suite; the function it returns fails the run where anything is left after it. */
export async function setup(): Promise<() => Promise<void>> {
  const before = await takeSnapshot();
  return async () => {
    const leaks = await findLeaks(before, settleMs);
    if (leaks.length === 0) return;
    const report = `${leaks.length} left on this machine by the tests:\n  ${leaks.join('\n  ')}`;
    // For a machine on which somebody else works at the same time: the leaks are shown all the same.
    process.stderr.write(`${report}\n`);
    // vitest prints what a teardown throws, and exits with 0 all the same.
    if (process.env['BERTH_TEST_LEAKS'] !== 'report') process.exitCode = 1;
  };
}
