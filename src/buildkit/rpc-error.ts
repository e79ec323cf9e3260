import { status, type ServiceError } from '@grpc/grpc-js';
import { EngineError, messageOf, type ErrorKind } from '../errors.ts';

const CODES: Readonly<Record<ErrorKind, status>> = {
  InvalidArgument: status.INVALID_ARGUMENT,
  Unauthenticated: status.UNAUTHENTICATED,
  PermissionDenied: status.PERMISSION_DENIED,
  NotFound: status.NOT_FOUND,
  Conflict: status.ALREADY_EXISTS,
  NotModified: status.FAILED_PRECONDITION,
  NotImplemented: status.UNIMPLEMENTED,
  Unavailable: status.UNAVAILABLE,
  Cancelled: status.CANCELLED,
  Internal: status.UNKNOWN,
};

/** Anything thrown, as a gRPC status; only our own errors keep their words. */
export function toRpcError(error: unknown): Pick<ServiceError, 'code' | 'details'> {
  if (error instanceof EngineError) return { code: CODES[error.kind], details: messageOf(error) };
  return { code: status.INTERNAL, details: 'internal error: the log of berth has the details' };
}
