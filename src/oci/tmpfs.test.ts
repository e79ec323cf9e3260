import { expect, it } from 'vitest';
import { mergeTmpfsOptions } from './tmpfs.ts';

it.each([
  [[], ['noexec', 'nosuid', 'nodev', 'rprivate']],
  [['defaults'], ['noexec', 'nosuid', 'nodev', 'rprivate']],
  [
    ['exec', 'size=1k'],
    ['nosuid', 'nodev', 'rprivate', 'exec', 'size=1k'],
  ],
  [
    ['size=1k', 'ro', 'size=2k', 'rw'],
    ['noexec', 'nosuid', 'nodev', 'rprivate', 'size=2k', 'rw'],
  ],
])('%j', (asked, expected) => {
  expect(mergeTmpfsOptions(asked)).toEqual(expected);
});
