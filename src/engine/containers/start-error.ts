import { EngineError, isErrorKind, messageOf, type ErrorKind } from '../../errors.ts';

/** What a failed start means for the container and for the client. */
export interface StartFailure {
  /** 127 not found, 126 not executable, 128 anything else: what `docker inspect` shows and the CLI exits by. */
  readonly exitCode: number;
  readonly error: EngineError;
}

const NOT_FOUND = [
  'executable file not found',
  'no such file or directory',
  'system cannot find the file specified',
];
/** What a start misses that the client can name. */
const MISSED = /^(network [^\n]{1,128} not found|No such container: [^\n]{1,200})$/;
/** dockerd has a status of its own for what is to be joined and does not run. */
const NOT_JOINED = /^failed to join [A-Z]{3} namespace: /;
const NOT_EXECUTABLE = ['permission denied', 'is a directory'];

/** Turns the runtime's refusal into dockerd's words: the CLI chooses its exit code from them. */
export function describeStartFailure(cause: unknown): StartFailure {
  const text = messageOf(cause).replace(/: unknown$/, '');
  const isAbout = (phrases: readonly string[]): boolean =>
    phrases.some((phrase) => text.toLowerCase().includes(phrase));
  const fail = (exitCode: number, kind: ErrorKind, message: string): StartFailure => ({
    exitCode,
    error: new EngineError(kind, message, { cause }),
  });
  if (isErrorKind(cause, 'NotFound') && MISSED.test(text)) return fail(128, 'NotFound', text);
  if (isErrorKind(cause, 'Conflict') && NOT_JOINED.test(text)) return fail(128, 'Conflict', text);
  if (
    cause instanceof EngineError &&
    cause.kind !== 'Internal' &&
    cause.kind !== 'Conflict' &&
    cause.kind !== 'NotFound'
  )
    return fail(128, cause.kind, text);
  if (isAbout(['not a directory']))
    return fail(
      127,
      'InvalidArgument',
      `${text}: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`,
    );
  if (isAbout(NOT_FOUND)) return fail(127, 'InvalidArgument', text);
  if (isAbout(NOT_EXECUTABLE)) return fail(126, 'InvalidArgument', text);
  return fail(128, 'Internal', text);
}
