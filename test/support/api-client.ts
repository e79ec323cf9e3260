import { formatRequest, openRaw, rawHttp, type RawConnection } from './raw-http.ts';

/** An answer of the Docker API. */
export interface ApiAnswer {
  readonly status: number;
  /** The body read as JSON; undefined where there is none. */
  readonly body: unknown;
  /** Docker's `{"message"}`, or empty. */
  readonly message: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** A Docker client that sends one request on each connection. */
export interface ApiClient {
  readonly socketPath: string;
  get(path: string): Promise<ApiAnswer>;
  /** With a body where one is given: JSON text as it is, anything else as JSON. */
  post(path: string, body?: unknown): Promise<ApiAnswer>;
  delete(path: string): Promise<ApiAnswer>;
  put(path: string, body: Buffer): Promise<ApiAnswer>;
  /** Opens a connection and sends the request; the answer is the caller's to read. */
  open(method: string, path: string, options?: OpenOptions): Promise<RawConnection>;
}

/** How a request on a connection of its own is sent. */
export interface OpenOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Makes a client for the socket. */
export function createApiClient(socketPath: string): ApiClient {
  const call = async (bytes: Buffer, method: string): Promise<ApiAnswer> => {
    const { status, headers, body } = await rawHttp(socketPath, bytes, { method, timeoutMs: 20_000 });
    const parsed = parseBody(body, headers);
    return { status, headers, body: parsed, message: messageIn(parsed) };
  };
  return {
    socketPath,
    get: (path) => call(formatRequest({ method: 'GET', path }), 'GET'),
    delete: (path) => call(formatRequest({ method: 'DELETE', path }), 'DELETE'),
    post: (path, body) => call(jsonRequest('POST', path, { body }), 'POST'),
    put: (path, body) =>
      call(
        formatRequest({ method: 'PUT', path, headers: { 'Content-Type': 'application/x-tar' }, body }),
        'PUT',
      ),
    async open(method, path, options = {}) {
      const connection = await openRaw(socketPath, 20_000);
      connection.send(jsonRequest(method, path, options));
      return connection;
    },
  };
}

/** One frame of a multiplexed stream. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** Takes a multiplexed stream apart; throws where the bytes are not whole frames. */
export function parseFrames(bytes: Buffer): readonly Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at];
    if (at + 8 > bytes.length || (kind !== 1 && kind !== 2)) throw new Error(`no frame at byte ${at}`);
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    if (end > bytes.length) throw new Error(`frame at byte ${at} is cut`);
    frames.push({ stream: kind === 1 ? 'stdout' : 'stderr', text: bytes.toString('utf8', at + 8, end) });
    at = end;
  }
  return frames;
}

/** All text of one of the streams. */
export function textOf(bytes: Buffer, stream: Frame['stream']): string {
  return parseFrames(bytes)
    .filter((frame) => frame.stream === stream)
    .map(({ text }) => text)
    .join('');
}

function jsonRequest(method: string, path: string, { body, headers }: OpenOptions): Buffer {
  if (body === undefined)
    return formatRequest({ method, path, ...(headers === undefined ? {} : { headers }) });
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return formatRequest({ method, path, headers: { ...JSON_TYPE, ...headers }, body: text });
}

function parseBody(body: Buffer, headers: ReadonlyMap<string, string>): unknown {
  if (body.length === 0 || headers.get('content-type') !== 'application/json') return undefined;
  const text = body.toString('utf8').trim();
  // A stream of several documents is answered by its last one: the one that tells the outcome.
  return JSON.parse(text.slice(text.lastIndexOf('\n') + 1));
}

function messageIn(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('message' in body)) return '';
  return typeof body.message === 'string' ? body.message : '';
}
