import { expect, test } from 'vitest';
import type { BuildCacheRecord } from '../../wire/build-cache.ts';
import { usageFilter } from './usage-filter.ts';

const record = (changes: Partial<BuildCacheRecord>): BuildCacheRecord => ({
  ID: 'abc123',
  Type: 'regular',
  Description: 'RUN make',
  InUse: false,
  Shared: false,
  Size: 1,
  CreatedAt: '2024-01-01T00:00:00Z',
  LastUsedAt: '2024-01-01T00:00:00Z',
  UsageCount: 0,
  ...changes,
});

test.each([
  { filters: [], chosen: true },
  { filters: [''], chosen: true },
  { filters: ['id~=^abc'], chosen: true },
  { filters: ['id==abc'], chosen: false },
  { filters: ['type==regular,private'], chosen: true },
  { filters: ['type==regular,inuse'], chosen: false },
  { filters: ['inuse', 'immutable'], chosen: true },
  { filters: ['description=="RUN make"'], chosen: true },
  { filters: ['type!=regular'], chosen: false },
  { filters: ['shared==false'], chosen: true },
])('$filters', ({ filters, chosen }) => {
  expect(usageFilter(filters)(record({}))).toBe(chosen);
});

test('a cache mount is what can still change', () => {
  expect(usageFilter(['mutable'])(record({ Type: 'exec.cachemount' }))).toBe(true);
});

test.each(['nonsense==1', 'constructor', 'id=1', 'id~=(', 'Type==regular'])('%s is refused', (filter) => {
  expect(() => usageFilter([filter])).toThrow('invalid filter');
});
