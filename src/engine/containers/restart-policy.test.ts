import { describe, expect, test } from 'vitest';

import { hasRestarts, restartDelayMs, type EndedRun } from './restart-policy.ts';

const failed: EndedRun = {
  exitCode: 1,
  ranMs: 0,
  isStopRequested: false,
  restartCount: 0,
  lastDelayMs: 0,
};
const policy = (name: string, count = 0): { readonly Name: string; readonly MaximumRetryCount: number } => ({
  Name: name,
  MaximumRetryCount: count,
});

describe('whether a container is started again', () => {
  test.each([
    { name: 'no policy', policy: policy('no'), ended: {}, isRestarted: false },
    { name: 'an empty policy', policy: policy(''), ended: {}, isRestarted: false },
    { name: 'always', policy: policy('always'), ended: {}, isRestarted: true },
    { name: 'always, after success', policy: policy('always'), ended: { exitCode: 0 }, isRestarted: true },
    {
      name: 'always, after a stop',
      policy: policy('always'),
      ended: { isStopRequested: true },
      isRestarted: false,
    },
    { name: 'unless-stopped', policy: policy('unless-stopped'), ended: { exitCode: 0 }, isRestarted: true },
    {
      name: 'unless-stopped, after a stop',
      policy: policy('unless-stopped'),
      ended: { isStopRequested: true },
      isRestarted: false,
    },
    { name: 'on-failure', policy: policy('on-failure'), ended: { restartCount: 1000 }, isRestarted: true },
    {
      name: 'on-failure, after success',
      policy: policy('on-failure'),
      ended: { exitCode: 0 },
      isRestarted: false,
    },
    {
      name: 'on-failure:2, for the second time',
      policy: policy('on-failure', 2),
      ended: { restartCount: 1 },
      isRestarted: true,
    },
    {
      name: 'on-failure:2, for the third time',
      policy: policy('on-failure', 2),
      ended: { restartCount: 2 },
      isRestarted: false,
    },
  ])('$name: $isRestarted', ({ policy: asked, ended, isRestarted }) => {
    expect(restartDelayMs(asked, { ...failed, ...ended }) !== undefined).toBe(isRestarted);
  });
});

test.each([
  { lastDelayMs: 0, ranMs: 0, delayMs: 100 },
  { lastDelayMs: 100, ranMs: 0, delayMs: 200 },
  { lastDelayMs: 200, ranMs: 9_999, delayMs: 400 },
  { lastDelayMs: 51_200, ranMs: 0, delayMs: 60_000 },
  { lastDelayMs: 60_000, ranMs: 0, delayMs: 60_000 },
  { lastDelayMs: 60_000, ranMs: 10_000, delayMs: 100 },
])('after $lastDelayMs ms and a run of $ranMs ms the next wait is $delayMs ms', ({ delayMs, ...ended }) => {
  expect(restartDelayMs(policy('always'), { ...failed, ...ended })).toBe(delayMs);
});

test('only the policies that restart have restarts', () => {
  const names = ['', 'no', 'always', 'unless-stopped', 'on-failure'];
  expect(names.filter((name) => hasRestarts(policy(name)))).toEqual([
    'always',
    'unless-stopped',
    'on-failure',
  ]);
});
