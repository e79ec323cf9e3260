import { expect, test } from 'vitest';
import type { BuildProgress } from './build-progress.ts';
import { ProgressLanes, type ReportProgress } from './progress-lanes.ts';

const note = (text: string): BuildProgress => ({ kind: 'note', text, isWarning: false });

/** Reports as fast as it may; `count` tells how far it has come. */
function flood(report: ReportProgress, total: number): { count: number; readonly done: Promise<void> } {
  const state = { count: 0, done: Promise.resolve() };
  state.done = (async () => {
    for (; state.count < total; state.count += 1) await report(note(String(state.count)));
  })();
  return state;
}

test('stages are read one after the other, whole', async () => {
  const lanes = new ProgressLanes();
  const [second, first] = [lanes.open(2), lanes.open(1)];
  await second.report(note('second'));
  second.close();
  await first.report(note('first'));
  first.close();
  lanes.end();
  const read: string[] = [];
  for await (const progress of lanes.read()) if (progress.kind === 'note') read.push(progress.text);
  expect(read).toEqual(['first', 'second']);
});

test('who is far ahead of the reader waits, and no longer once the reader has left', async () => {
  const lanes = new ProgressLanes();
  const flooding = flood(lanes.open(0).report, 1000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(flooding.count).toBeLessThan(100);
  lanes.abandon();
  await flooding.done;
  expect(flooding.count).toBe(1000);
});
