import { describe, expect, test } from 'vitest';

import { makeConfig } from '../../../test/support/records.ts';
import type { HealthState } from '../../state/container.ts';
import { beginHealth, judgeResult, nextIntervalMs, probeOf, type HealthProbe } from './health-state.ts';

const probe: HealthProbe = {
  argv: ['check'],
  intervalMs: 30_000,
  timeoutMs: 30_000,
  startPeriodMs: 1_000,
  startIntervalMs: 200,
  retries: 2,
};

const result = (exitCode: number, output = ''): HealthState['log'][number] => ({
  start: '',
  end: '',
  exitCode,
  output,
});

describe('the probe of a configuration', () => {
  test.each([
    { name: 'nothing', config: {}, argv: undefined },
    { name: 'an empty test', config: { Healthcheck: { Test: [] } }, argv: undefined },
    { name: 'NONE', config: { Healthcheck: { Test: ['NONE'] } }, argv: undefined },
    { name: 'CMD without a command', config: { Healthcheck: { Test: ['CMD'] } }, argv: undefined },
    { name: 'CMD', config: { Healthcheck: { Test: ['CMD', 'a', 'b'] } }, argv: ['a', 'b'] },
    {
      name: 'CMD-SHELL',
      config: { Healthcheck: { Test: ['CMD-SHELL', 'a || b'] } },
      argv: ['/bin/sh', '-c', 'a || b'],
    },
    {
      name: 'CMD-SHELL with a shell of its own',
      config: { Healthcheck: { Test: ['CMD-SHELL', 'a'] }, Shell: ['/bin/bash', '-ec'] },
      argv: ['/bin/bash', '-ec', 'a'],
    },
  ])('$name', ({ config, argv }) => {
    expect(probeOf(makeConfig(config))?.argv).toEqual(argv);
  });

  test('what is not set has dockerd’s defaults', () => {
    expect(probeOf(makeConfig({ Healthcheck: { Test: ['CMD', 'x'], Interval: 0 } }))).toEqual({
      argv: ['x'],
      intervalMs: 30_000,
      timeoutMs: 30_000,
      startPeriodMs: 0,
      startIntervalMs: 5_000,
      retries: 3,
    });
  });

  test('durations are nanoseconds', () => {
    const Healthcheck = {
      Test: ['CMD', 'x'],
      Interval: 1_500_000,
      Timeout: 2e9,
      StartPeriod: 3e9,
      StartInterval: 4e9,
      Retries: 7,
    };
    expect(probeOf(makeConfig({ Healthcheck }))).toMatchObject({
      intervalMs: 1.5,
      timeoutMs: 2_000,
      startPeriodMs: 3_000,
      startIntervalMs: 4_000,
      retries: 7,
    });
  });
});

describe('the health after a result', () => {
  const judge = (health: HealthState, exitCode: number, sinceStartMs = 5_000): HealthState =>
    judgeResult(health, result(exitCode), { probe, sinceStartMs });
  const starting = beginHealth(undefined);

  test('one success is health, and ends the row of failures', () => {
    expect(judge({ ...starting, failingStreak: 5, status: 'unhealthy' }, 0)).toMatchObject({
      status: 'healthy',
      failingStreak: 0,
    });
  });

  test('as many failures as retries in a row are not', () => {
    const once = judge(starting, 1);
    expect(once).toMatchObject({ status: 'starting', failingStreak: 1 });
    expect(judge(once, -1)).toMatchObject({ status: 'unhealthy', failingStreak: 2 });
    const healthy = judge(once, 0);
    expect(judge(healthy, 1)).toMatchObject({ status: 'healthy', failingStreak: 1 });
  });

  test('in the start period failures do not count, unless it has been healthy', () => {
    expect(judge(starting, 1, 999)).toMatchObject({ status: 'starting', failingStreak: 0 });
    expect(judge(starting, 1, 1_000)).toMatchObject({ status: 'starting', failingStreak: 1 });
    expect(judge(judge(starting, 0, 100), 1, 200)).toMatchObject({ status: 'healthy', failingStreak: 1 });
  });

  test('the last five results are kept, and seen after the next start too', () => {
    let health = starting;
    for (let code = 1; code <= 7; code += 1) health = judge(health, code);
    expect(health.log.map(({ exitCode }) => exitCode)).toEqual([3, 4, 5, 6, 7]);
    expect(beginHealth(health)).toEqual({ status: 'starting', failingStreak: 0, log: health.log });
  });
});

test.each([
  { status: 'starting', sinceStartMs: 0, waitMs: 200 },
  { status: 'starting', sinceStartMs: 1_000, waitMs: 30_000 },
  { status: 'healthy', sinceStartMs: 0, waitMs: 30_000 },
] as const)('$status, $sinceStartMs ms after the start: next probe in $waitMs ms', (at) => {
  expect(nextIntervalMs({ status: at.status, failingStreak: 0, log: [] }, probe, at.sinceStartMs)).toBe(
    at.waitMs,
  );
});
