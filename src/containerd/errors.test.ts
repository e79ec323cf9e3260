import { expect, test } from 'vitest';

import { EngineError } from '../errors.ts';
import { isAlreadyExists, isRefused, toEngineError } from './errors.ts';

const CALLEE = { address: '/s', hiddenDirectories: ['/var/lib/berth'] };

function status(code: number, details: string): Error {
  return Object.assign(new Error(`${code} ${details}`), { code, details });
}

test.each([
  [1, 'Cancelled'],
  [2, 'Internal'],
  [3, 'InvalidArgument'],
  [5, 'NotFound'],
  [6, 'Conflict'],
  [9, 'Conflict'],
  [12, 'NotImplemented'],
  [14, 'Unavailable'],
] as const)('status %i is %s with the words of containerd', (code, kind) => {
  const cause = status(code, 'words of containerd');
  expect(toEngineError(cause, CALLEE)).toMatchObject({ kind, message: 'words of containerd', cause });
});

test.each(['cannot pause a stopped container: unknown', 'cannot resume a deleted process: unknown'])(
  '%s is Conflict, though the shim says no more than that',
  (details) => {
    expect(toEngineError(status(2, details), CALLEE).kind).toBe('Conflict');
  },
);

test.each([
  [14, 'No connection established. Last error: connect ENOENT /s'],
  [14, 'Connection dropped'],
  [14, 'read ECONNRESET'],
  [13, 'Received RST_STREAM with code 2'],
])('a broken connection (%i %s) names the address', (code, details) => {
  const error = toEngineError(status(code, details), CALLEE);
  expect(error).toMatchObject({
    kind: 'Unavailable',
    message: `cannot connect to containerd at /s: ${details}`,
  });
});

test('only our own deadline is Unavailable', () => {
  expect(toEngineError(status(4, 'Deadline exceeded after 5.0s'), CALLEE).kind).toBe('Unavailable');
  expect(toEngineError(status(4, 'opening w/o fifo: context deadline exceeded'), CALLEE).kind).toBe(
    'Internal',
  );
});

test('foreign errors are Internal, EngineErrors stay, and the two Conflicts can be told apart', () => {
  const own = new EngineError('NotFound', 'x');
  expect(toEngineError(own, CALLEE)).toBe(own);
  expect(toEngineError(new TypeError('bad'), CALLEE)).toMatchObject({ kind: 'Internal', message: 'bad' });
  const [exists, refused] = [6, 9].map((code) => toEngineError(status(code, 'x'), CALLEE));
  expect([isAlreadyExists(exists), isRefused(exists)]).toEqual([true, false]);
  expect([isAlreadyExists(refused), isRefused(refused)]).toEqual([false, true]);
});

test('no message holds a path of the host, its cause does', () => {
  const cause = status(2, 'runc: open /var/lib/berth/jobs/a/x and "/etc/passwd": no such file');
  const error = toEngineError(cause, CALLEE);
  expect(error.message).toBe('runc: open (host path) and "/etc/passwd": no such file');
  expect(error.cause).toBe(cause);
});
