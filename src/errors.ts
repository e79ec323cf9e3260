/** What went wrong, in one word that every layer shares; `api/http/error-response.ts` owns the HTTP status of each. */
export type ErrorKind =
  | 'InvalidArgument'
  | 'Unauthenticated'
  | 'PermissionDenied'
  | 'NotFound'
  | 'Conflict'
  | 'NotModified'
  | 'NotImplemented'
  | 'Unavailable'
  | 'Cancelled'
  | 'Internal';

/** The only error that berth throws on purpose: a kind, and a message in the words that the client will read. */
export class EngineError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.kind = kind;
  }
}

/** True for an EngineError of the given kind; anything else, foreign errors included, is false. */
export function isErrorKind(error: unknown, kind: ErrorKind): error is EngineError {
  return error instanceof EngineError && error.kind === kind;
}

/** Refuses one more of what the operator limits; `name` is the key in the configuration's `[limits]`. */
export function limitReached(name: string, most: number): EngineError {
  return new EngineError(
    'PermissionDenied',
    `the job has ${most} ${name} already, the most it may have (limits.${name})`,
  );
}

/** The message of anything that can be thrown, for a log line or for the words of a wrapping error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
