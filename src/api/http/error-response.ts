import type { ServerResponse } from 'node:http';
import { EngineError, isErrorKind, messageOf, type ErrorKind } from '../../errors.ts';
import { hideHostPaths } from '../../lib/hide-host-paths.ts';
import type { Job } from '../../engine/job.ts';
import { auditRefusal } from '../../engine/system/audit-refusal.ts';

/** Statuses that only the HTTP edge gives: none of them is about what a request asked for. */
export type EdgeStatus = 404 | 405 | 408 | 413 | 415;

/** A request that the HTTP edge refuses before any route sees it. */
export class EdgeError extends Error {
  readonly status: EdgeStatus;

  constructor(status: EdgeStatus, message: string) {
    super(message);
    this.name = 'EdgeError';
    this.status = status;
  }
}

const STATUS: Readonly<Record<ErrorKind, number>> = {
  InvalidArgument: 400,
  Unauthenticated: 401,
  PermissionDenied: 403,
  NotFound: 404,
  Conflict: 409,
  NotModified: 304,
  NotImplemented: 501,
  Unavailable: 503,
  Cancelled: 500,
  Internal: 500,
};

/** What a client reads of an error. */
export interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
}

/** Also what else may have got into a message: what containerd says comes without such paths. */
function withoutHostPaths(message: string, { paths, settings }: Job): string {
  return hideHostPaths(message, [paths.stateDir, paths.runDir, settings.root, settings.runDir]);
}

/** Status and message of anything that can be thrown; what is not our own error keeps its words for the log. */
export function describeError(error: unknown, job: Job): ErrorAnswer {
  if (error instanceof EdgeError) return { status: error.status, message: error.message };
  if (error instanceof EngineError)
    return { status: STATUS[error.kind], message: withoutHostPaths(error.message, job) };
  return { status: 500, message: 'internal error: the log of berth has the details' };
}

/** Logs an error once, and records it where it is a refusal: a failure of ours loudly, what we lack as a warning, a client's mistake or leaving quietly. */
export function logError(
  error: unknown,
  request: { readonly job: Job; readonly what: string; readonly isLeft: boolean },
): void {
  const { log } = request.job;
  auditRefusal(request.job, error, request);
  const { status } = describeError(error, request.job);
  const fields = { request: request.what, status };
  if (request.isLeft || isErrorKind(error, 'Cancelled'))
    log.debug({ ...fields, err: messageOf(error) }, 'client left');
  else if (status === 500) log.error({ ...fields, err: error }, 'request failed');
  else if (status === 503) log.warn({ ...fields, err: messageOf(error) }, 'request not served');
  else log.debug({ ...fields, err: messageOf(error) }, 'request refused');
}

/** Answers with the error as Docker's clients expect it; 304 has no body. The headers must not have been sent. */
export function sendError(response: ServerResponse, answer: ErrorAnswer): void {
  response.statusCode = answer.status;
  if (answer.status === 304) {
    response.end();
    return;
  }
  const body = Buffer.from(`${JSON.stringify({ message: answer.message })}\n`);
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
