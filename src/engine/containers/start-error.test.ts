import { describe, expect, test } from 'vitest';
import { EngineError } from '../../errors.ts';
import { describeStartFailure } from './start-error.ts';

describe('a failed start', () => {
  test.each([
    ['exec: "nope": executable file not found in $PATH: unknown', 127, 'InvalidArgument'],
    ['exec: "/nope": stat /nope: no such file or directory: unknown', 127, 'InvalidArgument'],
    ['exec: "/etc/passwd": permission denied: unknown', 126, 'InvalidArgument'],
    ['exec: "/etc": is a directory: unknown', 126, 'InvalidArgument'],
    ['error mounting "/x" to rootfs at "/etc/hosts": not a directory: unknown', 127, 'InvalidArgument'],
    ['something else went wrong', 128, 'Internal'],
  ] as const)('%s: %i', (message, exitCode, kind) => {
    const failure = describeStartFailure(new EngineError('Internal', message));
    expect({ exitCode: failure.exitCode, kind: failure.error.kind }).toEqual({ exitCode, kind });
    expect(failure.error.message).not.toMatch(/: unknown$/);
  });

  test('keeps the kind of an error of our own', () => {
    const failure = describeStartFailure(
      new EngineError('PermissionDenied', 'permission denied by the gate'),
    );
    expect(failure).toMatchObject({ exitCode: 128, error: { kind: 'PermissionDenied' } });
  });
});
