import { describe, expect, test } from 'vitest';

import { createUpstreamHistory, type Upstream } from './dns-upstreams.ts';

const [a, b] = ['a', 'b'].map((key): Upstream => ({
  address: '10.0.0.1',
  netnsPath: '/ns',
  isRelayed: false,
  key,
})) as [Upstream, Upstream];

describe('servers for names', () => {
  test('are asked in their order, but last while they say nothing', () => {
    const history = createUpstreamHistory(() => 0);
    expect(history.order([a, b])).toEqual({ inOrder: [a, b], due: undefined });
    history.record(a, 'silence');
    expect(history.order([a, b])).toEqual({ inOrder: [b, a], due: undefined });
    history.record(a, 'answer');
    expect(history.order([a, b]).inOrder).toEqual([a, b]);
  });

  test('that said nothing are tried again after a while, once at a time', () => {
    let nowMs = 0;
    const history = createUpstreamHistory(() => nowMs);
    history.record(a, 'silence');
    nowMs = 10_000;
    expect(history.order([a, b])).toEqual({ inOrder: [b, a], due: a });
    expect(history.order([a, b]).due).toBeUndefined();
    nowMs = 20_000;
    expect(history.order([a, b]).due).toBe(a);
  });

  test('are not tried beside themselves where there is no other', () => {
    let nowMs = 0;
    const history = createUpstreamHistory(() => nowMs);
    history.record(a, 'silence');
    nowMs = 60_000;
    expect(history.order([a])).toEqual({ inOrder: [a], due: undefined });
  });

  test('are remembered by the thousand, and no more', () => {
    const history = createUpstreamHistory(() => 0);
    const many = Array.from({ length: 1025 }, (_, index) => ({ ...a, key: String(index) }));
    for (const one of many) history.record(one, 'silence');
    expect(history.order([...many.slice(0, 2), b]).inOrder.map(({ key }) => key)).toEqual(['0', 'b', '1']);
  });
});
