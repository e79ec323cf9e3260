import { expect, it } from 'vitest';
import { resolveAllowPrivileged } from './allow-privileged.ts';

it.each([
  [undefined, 'linux', false],
  [undefined, 'darwin', true],
  [undefined, 'windows', true],
  [true, 'linux', true],
  [true, 'darwin', true],
  [true, 'windows', true],
  [false, 'linux', false],
  [false, 'darwin', false],
  [false, 'windows', false],
] as const)('setting %s on %s: %s', (setting, platform, allowed) => {
  const resolved = resolveAllowPrivileged(setting, platform);
  expect(resolved.allowed).toBe(allowed);
  expect(resolved.reason).toContain('dind.allow_privileged');
});
