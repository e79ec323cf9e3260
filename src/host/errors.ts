import { EngineError, type ErrorKind } from '../errors.ts';

const kinds: Readonly<Record<string, ErrorKind>> = {
  ENOENT: 'NotFound',
  ENOTDIR: 'NotFound',
  ESRCH: 'NotFound',
  EEXIST: 'Conflict',
  EBUSY: 'Conflict',
  ENOTEMPTY: 'Conflict',
  EPIPE: 'Conflict',
  EACCES: 'PermissionDenied',
  EPERM: 'PermissionDenied',
  EROFS: 'PermissionDenied',
  EINVAL: 'InvalidArgument',
  ELOOP: 'InvalidArgument',
  EISDIR: 'InvalidArgument',
  ENAMETOOLONG: 'InvalidArgument',
};

/** The errno name of a system call's failure (`ENOENT` …), or undefined for any other error. */
export function errnoCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && 'syscall' in error ? error.code : undefined;
}

/** True for a system call's failure with one of these names. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errnoCode(error);
  return code !== undefined && codes.includes(code);
}

/** A failed system call as an EngineError that says what was being done; an EngineError stays itself. */
export function toEngineError(error: unknown, doing: string): EngineError {
  if (error instanceof EngineError) return error;
  const code = errnoCode(error);
  const kind = code === undefined ? 'Internal' : (kinds[code] ?? 'Internal');
  return new EngineError(kind, code === undefined ? doing : `${doing}: ${code}`, { cause: error });
}
