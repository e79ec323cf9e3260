import { describe, expect, it } from 'vitest';

import { exitedAt, makeContainer, runningSince } from '../../../test/support/records.ts';
import { describeState, describeStatus, humanDuration, statusOf } from './describe-state.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

describe('humanDuration', () => {
  it.each([
    [-5, 'Less than a second'],
    [999, 'Less than a second'],
    [S, '1 second'],
    [2 * S - 1, '1 second'],
    [2 * S, '2 seconds'],
    [59 * S, '59 seconds'],
    [M, 'About a minute'],
    [2 * M - 1, 'About a minute'],
    [2 * M, '2 minutes'],
    [59 * M, '59 minutes'],
    [H, 'About an hour'],
    [1.4 * H, 'About an hour'],
    [1.5 * H, '2 hours'],
    [47 * H, '47 hours'],
    [47.6 * H, '2 days'],
    [13 * D, '13 days'],
    [14 * D, '2 weeks'],
    [59 * D, '8 weeks'],
    [60 * D, '2 months'],
    [729 * D, '24 months'],
    [730 * D, '2 years'],
    [1100 * D, '3 years'],
  ])('words %d ms as %s', (ms, words) => {
    expect(humanDuration(ms)).toBe(words);
  });
});

describe('describeStatus', () => {
  const nowMs = Date.parse('2024-05-06T07:10:00Z');
  const exitStatus = { exitCode: 0, finishedAt: '2024-05-06T07:08:00Z', isOomKilled: false, error: '' };

  it.each([
    ['created', makeContainer(), 'Created', 'created'],
    ['running', makeContainer({ state: runningSince('2024-05-06T07:09:57Z') }), 'Up 3 seconds', 'running'],
    [
      'paused',
      makeContainer({ state: runningSince('2024-05-06T07:09:55Z', true) }),
      'Up 5 seconds (Paused)',
      'paused',
    ],
    [
      'exited',
      makeContainer({ state: exitedAt('2024-05-06T07:08:00Z', 1) }),
      'Exited (1) 2 minutes ago',
      'exited',
    ],
    [
      'restarting',
      makeContainer({ state: { ...exitedAt('2024-05-06T07:09:58Z', 4), status: 'restarting' } }),
      'Restarting (4) 2 seconds ago',
      'restarting',
    ],
    [
      'dead',
      makeContainer({ state: { ...exitStatus, status: 'dead', startedAt: '2024-05-06T07:00:01Z' } }),
      'Dead',
      'dead',
    ],
  ])('words a container that is %s', (...[, container, words, status]) => {
    expect(describeStatus(container, nowMs)).toBe(words);
    expect(statusOf(container)).toBe(status);
  });

  it('words a removal that is under way', () => {
    const container = makeContainer({ state: exitedAt('2024-05-06T07:08:00Z') });
    container.isRemoving = true;
    expect(describeStatus(container, nowMs)).toBe('Removal In Progress');
    expect(statusOf(container)).toBe('removing');
  });
});

describe('describeState', () => {
  it('has every member, with zero times, for a container that never ran', () => {
    const state = { status: 'created' as const, lastError: 'exec: "/nope": not found', lastExitCode: 127 };
    expect(describeState(makeContainer({ state }))).toEqual({
      Status: 'created',
      Running: false,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 0,
      ExitCode: 127,
      Error: 'exec: "/nope": not found',
      StartedAt: '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    });
  });

  it('says of a paused container that it runs', () => {
    expect(describeState(makeContainer({ state: runningSince('2024-05-06T07:09:55Z', true) }))).toMatchObject(
      {
        Status: 'paused',
        Running: true,
        Paused: true,
        Pid: 4242,
        StartedAt: '2024-05-06T07:09:55Z',
        FinishedAt: '0001-01-01T00:00:00Z',
      },
    );
  });

  it('keeps how a container ended', () => {
    const state = { ...exitedAt('2024-05-06T07:08:00Z', 137), isOomKilled: true } as const;
    expect(describeState(makeContainer({ state }))).toMatchObject({
      Status: 'exited',
      Running: false,
      OOMKilled: true,
      Pid: 0,
      ExitCode: 137,
      StartedAt: '2024-05-06T07:00:01Z',
      FinishedAt: '2024-05-06T07:08:00Z',
    });
  });
});
