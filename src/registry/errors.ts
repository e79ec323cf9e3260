import { EngineError, type ErrorKind } from '../errors.ts';

/** One error of a registry's JSON answer. */
export interface RegistryErrorDetail {
  readonly code: string;
  readonly message: string;
}

/** A transfer that broke, or an answer (429, 5xx) that may be better next time. */
export class TransientRegistryError extends EngineError {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options?: { readonly cause?: unknown; readonly retryAfterMs?: number }) {
    super('Unavailable', message, options);
    this.name = 'TransientRegistryError';
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** What was asked for, for the words of an error. */
export interface FailedRequest {
  readonly familiarName: string;
  /** Tag or digest, or empty when a blob was asked for. */
  readonly tagOrDigest: string;
  readonly status: number;
  readonly details: readonly RegistryErrorDetail[];
  readonly retryAfterMs?: number;
}

const MAX_DETAIL_LENGTH = 1024;

/** An answer that is not a success, as an error in dockerd's words. */
export function statusError(failed: FailedRequest): EngineError {
  const first = failed.details[0] ?? assumedDetail(failed);
  const cause = `${first.code.toLowerCase().replaceAll('_', ' ')}: ${first.message}`;
  const known = knownErrors.get(first.code);
  if (known) return new EngineError(known.kind, `${known.prefix(failed)}${cause}`);
  if (isTransientStatus(failed.status))
    return new TransientRegistryError(
      cause,
      failed.retryAfterMs === undefined ? {} : { retryAfterMs: failed.retryAfterMs },
    );
  return new EngineError(failed.status === 400 ? 'InvalidArgument' : 'Internal', cause);
}

interface KnownError {
  readonly kind: ErrorKind;
  readonly prefix: (failed: FailedRequest) => string;
}

const knownErrors: ReadonlyMap<string, KnownError> = new Map<string, KnownError>([
  [
    'DENIED',
    {
      kind: 'NotFound',
      prefix: ({ familiarName }) =>
        `pull access denied for ${familiarName}, repository does not exist or may require 'docker login': `,
    },
  ],
  [
    'MANIFEST_UNKNOWN',
    { kind: 'NotFound', prefix: (failed) => `manifest for ${joinReference(failed)} not found: ` },
  ],
  [
    'NAME_UNKNOWN',
    { kind: 'NotFound', prefix: ({ familiarName }) => `repository ${familiarName} not found: ` },
  ],
  ['UNAUTHORIZED', { kind: 'Unauthenticated', prefix: () => '' }],
  ['BLOB_UNKNOWN', { kind: 'NotFound', prefix: () => '' }],
]);

// What the registry would have said, had its answer a body that we understand.
function assumedDetail({ status, tagOrDigest }: FailedRequest): RegistryErrorDetail {
  if (status === 401) return { code: 'UNAUTHORIZED', message: 'authentication required' };
  if (status === 403) return { code: 'DENIED', message: 'requested access to the resource is denied' };
  if (status === 404 && tagOrDigest === '')
    return { code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' };
  if (status === 404) return { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' };
  if (status === 429)
    return { code: 'TOOMANYREQUESTS', message: 'the registry limits how often it may be asked' };
  return { code: 'UNKNOWN', message: `received unexpected HTTP status: ${status}` };
}

/** Reads the errors of a registry's answer; what does not look like them is left out. */
export function parseErrorDetails(body: string): readonly RegistryErrorDetail[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return [];
  }
  if (typeof parsed !== 'object' || parsed === null) return [];
  const { errors, details } = parsed as { readonly errors?: unknown; readonly details?: unknown };
  if (typeof details === 'string') return [{ code: 'UNAUTHORIZED', message: clean(details) }];
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, 10).flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const { code, message } = item as { readonly code?: unknown; readonly message?: unknown };
    if (typeof code !== 'string' || !/^[A-Za-z_]{1,64}$/.test(code)) return [];
    return [{ code: code.toUpperCase(), message: typeof message === 'string' ? clean(message) : '' }];
  });
}

/** A connection that could not be made or broke, in the words that dockerd's clients know. */
export function connectionError(
  error: unknown,
  request: { readonly method: string; readonly url: URL },
): EngineError {
  if (error instanceof EngineError) return error;
  const target = `${goMethod(request.method)} "${request.url.origin}${request.url.pathname}"`;
  return new TransientRegistryError(`${target}: ${goWords(error, request.url)}`, { cause: error });
}

/** The errno or Node code of an error, or of the first of several attempts that it stands for. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** True when the other side does not speak TLS, or is not there at all. */
export function isPlainHttpHint(error: unknown): boolean {
  const code = codeOf(error instanceof EngineError ? error.cause : error);
  return /^(ERR_SSL_|EPROTO$|ECONNRESET$|ECONNREFUSED$)/.test(code);
}

const goErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
};

const certificateErrors: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
};

function goWords(error: unknown, url: URL): string {
  const code = codeOf(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${url.hostname}: no such host`;
  const dial = goErrors[code];
  if (dial !== undefined) return `dial tcp ${addressOf(error, url)}: ${dial}`;
  const certificate = certificateErrors[code];
  if (certificate !== undefined) return `tls: failed to verify certificate: x509: ${certificate}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}`;
  if (/^(ERR_SSL_|EPROTO$)/.test(code)) return 'http: server gave HTTP response to HTTPS client';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'EOF';
  return error instanceof Error ? clean(error.message) : 'request failed';
}

function addressOf(error: unknown, url: URL): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { address, port } = first as { readonly address?: unknown; readonly port?: unknown };
  const shownPort = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (typeof address !== 'string') return `${url.hostname}:${shownPort}`;
  const host = address.includes(':') ? `[${address}]` : address;
  return `${host}:${typeof port === 'number' ? port : shownPort}`;
}

// Go's url.Error capitalises the method alone: Get "https://…".
function goMethod(method: string): string {
  return `${method.charAt(0)}${method.slice(1).toLowerCase()}`;
}

function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function joinReference({ familiarName, tagOrDigest }: FailedRequest): string {
  return tagOrDigest.includes(':') ? `${familiarName}@${tagOrDigest}` : `${familiarName}:${tagOrDigest}`;
}

// A registry's words go to terminals and logs: one line, no control characters, bounded.
function clean(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_DETAIL_LENGTH);
}
