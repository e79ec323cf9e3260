import { expect, test } from 'vitest';
import { createEventLog, type JobEvent } from './event-log.ts';

const event = (action: string): Omit<JobEvent, 'timeNs'> => ({
  type: 'container',
  action,
  actorId: 'x',
  attributes: {},
});

test('subscribers get what comes, those before are remembered', async () => {
  let time = 0n;
  const log = createEventLog(() => (time += 1n));
  log.emit(event('before'));
  const leaving = new AbortController();
  const stream = log.subscribe(leaving.signal);
  log.emit(event('first'));
  log.emit(event('second'));
  leaving.abort();
  log.emit(event('after'));
  const seen: string[] = [];
  for await (const { action } of stream) seen.push(action);
  expect(seen).toEqual(['first', 'second']);
  expect(log.recent().map(({ action, timeNs }) => `${action} ${String(timeNs)}`)).toEqual([
    'before 1',
    'first 2',
    'second 3',
    'after 4',
  ]);
});

test('the oldest are forgotten', () => {
  const log = createEventLog(() => 0n);
  for (let count = 0; count < 2000; count += 1) log.emit(event(String(count)));
  expect(log.recent()).toHaveLength(1024);
  expect(log.recent()[0]?.action).toBe('976');
});
