import { expect, test } from 'vitest';
import { adviseOn } from './advisories.ts';

function holes(program: 'runc' | 'containerd', version: string): readonly string[] {
  return adviseOn(program, version)?.match(/CVE-\d+-\d+/g) ?? [];
}

const RUNC_2025 = ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'];

test.each([
  ['1.1.5+ds1', ['CVE-2024-21626', ...RUNC_2025]],
  ['1.1.12', RUNC_2025],
  ['1.1.15', RUNC_2025],
  ['1.2.7', RUNC_2025],
  ['1.2.8', []],
  ['1.3.2', RUNC_2025],
  ['1.3.3', []],
  ['1.4.0-rc.2', RUNC_2025],
  ['1.4.0-rc.3', []],
  ['1.4.0', []],
  ['2.0.0', []],
  ['1.0.0-rc6', ['CVE-2019-5736', 'CVE-2021-30465', 'CVE-2024-21626', ...RUNC_2025]],
  ['unknown', []],
])('runc %s: %j', (version, expected) => {
  expect(holes('runc', version)).toEqual(expected);
});

test.each([
  ['1.6.20~ds1', ['CVE-2024-40635', 'CVE-2024-25621']],
  ['v1.7.27', ['CVE-2024-25621']],
  ['1.7.29', []],
  ['2.0.4', ['CVE-2024-25621']],
  ['2.2.0', []],
  ['2.3.1', []],
  ['1.4.2', ['CVE-2020-15257', 'CVE-2022-23648', 'CVE-2024-40635', 'CVE-2024-25621']],
])('containerd %s: %j', (version, expected) => {
  expect(holes('containerd', version)).toEqual(expected);
});

test('the text names the version and says that it is a hint', () => {
  expect(adviseOn('runc', '1.2.7')).toBe(
    'runc 1.2.7 is older than the releases that fixed CVE-2025-31133, CVE-2025-52565, CVE-2025-52881; see whether your distribution has mended it',
  );
});
