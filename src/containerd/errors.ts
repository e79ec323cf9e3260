import { EngineError, messageOf, type ErrorKind } from '../errors.ts';
import { hideHostPaths } from '../lib/hide-host-paths.ts';

// gRPC's status codes as numbers: this file must not pull in the gRPC library for the sake of an enum.
const kinds: Readonly<Record<number, ErrorKind>> = {
  1: 'Cancelled',
  3: 'InvalidArgument',
  5: 'NotFound',
  6: 'Conflict',
  9: 'Conflict',
  11: 'InvalidArgument',
  12: 'NotImplemented',
};
const deadlineExceeded = 4;
const alreadyExists = 6;
const failedPrecondition = 9;
const internal = 13;
const unavailable = 14;

// The client library's own words for a broken or refused connection, as against an Unavailable that containerd sent.
const connectionFailure =
  /^(No connection established|Connection dropped|Connection closed|Channel has been shut down|Failed to connect|connect E[A-Z]+|read E[A-Z]+|write E[A-Z]+|The operation was cancelled|.*(ECONNREFUSED|ENOENT: no such|ECONNRESET|EPIPE))/;
const brokenStream = /RST_STREAM|Premature close|Connection dropped|ECONNRESET|http2/i;

// The shim's words for a state that forbids a change; it sends them without a status of their own.
const forbiddenByState = /^cannot (?:pause|resume) (?:a|task in) (?:stopped|deleted|created)/;

interface StatusLike {
  readonly code: number;
  readonly details: string;
}

function isStatus(error: unknown): error is StatusLike & Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

function connectionError(address: string, cause: StatusLike & Error): EngineError {
  const message = `cannot connect to containerd at ${address}: ${cause.details}`;
  return new EngineError('Unavailable', message, { cause });
}

/** Who was called. */
export interface Callee {
  readonly address: string;
  /** Directories that its messages may name, and no client is to read of. */
  readonly hiddenDirectories: readonly string[];
}

/** Turns whatever a call to containerd threw into an EngineError with containerd's own message, but for paths of the host. */
export function toEngineError(error: unknown, { address, hiddenDirectories }: Callee): EngineError {
  if (error instanceof EngineError) return error;
  if (!isStatus(error)) return new EngineError('Internal', messageOf(error), { cause: error });
  const { code } = error;
  const details = hideHostPaths(error.details, hiddenDirectories);
  if (code === unavailable && connectionFailure.test(details)) return connectionError(address, error);
  if (code === internal && brokenStream.test(details)) return connectionError(address, error);
  // Ours; a deadline that passed inside containerd comes with its own words.
  if (code === deadlineExceeded && details.startsWith('Deadline exceeded')) {
    return new EngineError('Unavailable', `containerd at ${address} did not answer in time`, {
      cause: error,
    });
  }
  if (forbiddenByState.test(details)) return new EngineError('Conflict', details, { cause: error });
  const kind = code === unavailable ? 'Unavailable' : (kinds[code] ?? 'Internal');
  return new EngineError(kind, details, { cause: error });
}

function statusOf(error: unknown): number | undefined {
  return error instanceof EngineError && isStatus(error.cause) ? error.cause.code : undefined;
}

/** True for the Conflict that means "there already", as against a precondition that failed. */
export function isAlreadyExists(error: unknown): error is EngineError {
  return statusOf(error) === alreadyExists;
}

/** True for the Conflict that means "not in this state", as a blob whose digest or size is not the promised one. */
export function isRefused(error: unknown): error is EngineError {
  return statusOf(error) === failedPrecondition;
}
