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

/**
 * InvalidArgument for a value that has not the form which its place takes; `field` is that place, where it is known.
 * Its reason is written down, so it holds nothing that could be a secret; it is the message unless that could.
 */
export class ShapeError extends EngineError {
  readonly field: string | undefined;
  readonly reason: string;

  constructor(
    message: string,
    options: { readonly field?: string; readonly reason?: string; readonly cause?: unknown } = {},
  ) {
    super('InvalidArgument', message, options);
    this.field = options.field;
    this.reason = options.reason ?? message;
  }
}

/** An endpoint that is served to nobody, in the words and with the kind that dockerd has for it; it is written down. */
export class UnservedError extends EngineError {}

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
