import { expect, it } from 'vitest';
import { resolveAllowPrivileged } from './allow-privileged.ts';

it.each([
  [undefined, 'linux', undefined, false],
  [undefined, 'darwin', undefined, true],
  [undefined, 'windows', undefined, true],
  [undefined, 'linux', 'kata', false],
  [undefined, 'darwin', 'vz', true],
  [undefined, 'darwin', 'none', false],
  [true, 'linux', undefined, true],
  [true, 'darwin', 'none', true],
  [true, 'windows', undefined, true],
  [false, 'linux', undefined, false],
  [false, 'darwin', 'vz', false],
  [false, 'windows', undefined, false],
  [[], 'darwin', undefined, false],
] as const)('setting %j on %s behind %s: %s', (...[allowPrivileged, hostPlatform, fence, allowed]) => {
  const resolved = resolveAllowPrivileged({ allowPrivileged, hostPlatform, fence, neutralise: [] });
  expect(resolved.allowed).toBe(allowed);
  expect(resolved.reason).toContain('dind.allow_privileged');
  expect(resolved.fence).toBe(
    fence ?? (hostPlatform === 'linux' ? 'none' : `the virtual machine of a ${hostPlatform} host`),
  );
});
