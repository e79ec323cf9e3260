import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One answer as it came over the wire. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; values of a repeated header are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What formatRequest turns into bytes; nothing is added but the body's length. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** The head of an answer. */
export type RawHead = Omit<RawResponse, 'body'>;

/** A connection that sends exactly the bytes it is given and reads answers, or what follows an upgrade, one by one. */
export interface RawConnection {
  send(bytes: string | Buffer): void;
  /** Reads one whole answer; `HEAD` tells that no body follows whatever the headers say. */
  readResponse(method?: string): Promise<RawResponse>;
  /** Reads one head, and leaves what follows to readBytes, readUntil and readToEnd: for hijacked streams. */
  readHead(): Promise<RawHead>;
  /** Reads what follows a head that readHead has read. */
  readBody(head: RawHead, method: string): Promise<Buffer>;
  readBytes(count: number): Promise<Buffer>;
  /** Reads up to and with the text. */
  readUntil(text: string): Promise<Buffer>;
  /** Reads until the other side has ended its half. */
  readToEnd(): Promise<Buffer>;
  /** Ends our half: the other side sees the end of its input, and may go on writing. */
  end(): void;
  close(): void;
}

const defaultTimeoutMs = 10_000;

/** A well-formed request; Host and, for a body, Content-Length are added where absent. */
export function formatRequest({ method, path, headers, body }: RawRequest): Buffer {
  const given = new Map(Object.entries(headers ?? {}));
  const has = (name: string): boolean => [...given.keys()].some((key) => key.toLowerCase() === name);
  const bytes = Buffer.from(body ?? '');
  if (!has('host')) given.set('Host', 'docker');
  if (body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    given.set('Content-Length', String(bytes.length));
  }
  const lines = [...given].map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes]);
}

/** Sends the bytes on a connection of their own and reads one answer. */
export async function rawHttp(
  socketPath: string,
  bytes: string | Buffer,
  options: { readonly method?: string; readonly timeoutMs?: number } = {},
): Promise<RawResponse> {
  const connection = await openRaw(socketPath, options.timeoutMs);
  try {
    connection.send(bytes);
    return await connection.readResponse(options.method ?? bytes.toString().split(' ')[0]);
  } finally {
    connection.close();
  }
}

/** Connects to a unix socket; each read fails after the time. */
export async function openRaw(socketPath: string, timeoutMs = defaultTimeoutMs): Promise<RawConnection> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  await once(socket, 'connect');
  const reader = new SocketReader(socket, timeoutMs);
  return {
    send: (bytes) => void socket.write(bytes),
    readResponse: (method) => readResponse(reader, method),
    readHead: () => readHead(reader),
    readBody: (head, method) => readBodyAfter(reader, head, method),
    readBytes: (count) => reader.bytes(count),
    readUntil: (text) => reader.until(text),
    readToEnd: () => reader.toEnd(),
    end: () => void socket.end(),
    close: () => void socket.destroy(),
  };
}

/** Collects what a socket receives and hands it out in the pieces that are asked for. */
class SocketReader {
  readonly #timeoutMs: number;
  #buffered: Buffer = Buffer.alloc(0);
  #isEnded = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    socket.on('data', (chunk: Buffer) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk]);
      this.#wake();
    });
    socket.on('end', () => {
      this.#isEnded = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
      this.#wake();
    });
    socket.on('close', () => {
      this.#isEnded = true;
      this.#wake();
    });
  }

  bytes(count: number): Promise<Buffer> {
    return this.#take(() => (this.#buffered.length >= count ? count : undefined));
  }

  until(text: string): Promise<Buffer> {
    return this.#take(() => {
      const index = this.#buffered.indexOf(text);
      return index === -1 ? undefined : index + text.length;
    });
  }

  toEnd(): Promise<Buffer> {
    return this.#take(() => (this.#isEnded ? this.#buffered.length : undefined));
  }

  /** Waits until the function knows how many bytes to take. */
  async #take(count: () => number | undefined): Promise<Buffer> {
    const deadline = Date.now() + this.#timeoutMs;
    for (;;) {
      const wanted = count();
      if (wanted !== undefined) {
        const taken = this.#buffered.subarray(0, wanted);
        this.#buffered = this.#buffered.subarray(wanted);
        return taken;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded)
        throw new Error(`the connection ended after ${JSON.stringify(this.#buffered.toString())}`);
      await this.#change(deadline - Date.now());
    }
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((settle, fail) => {
      const timer = setTimeout(() => {
        fail(
          new Error(
            `no answer within ${this.#timeoutMs} ms, only ${JSON.stringify(this.#buffered.toString())}`,
          ),
        );
      }, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        settle();
      };
    });
  }
}

async function readResponse(reader: SocketReader, method: string | undefined): Promise<RawResponse> {
  const head = await readHead(reader);
  return { ...head, body: await readBodyAfter(reader, head, method) };
}

async function readBodyAfter(
  reader: SocketReader,
  { status, headers }: RawHead,
  method: string | undefined,
): Promise<Buffer> {
  const isBodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  return isBodiless ? Buffer.alloc(0) : await readBody(reader, headers);
}

async function readHead(reader: SocketReader): Promise<RawHead> {
  const text = (await reader.until('\r\n\r\n')).toString('latin1');
  const [statusLine = '', ...lines] = text.trimEnd().split('\r\n');
  const [, status, reason] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  if (status === undefined) throw new Error(`not a status line: ${statusLine}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return { status: Number(status), reason: reason ?? '', headers };
}

async function readBody(reader: SocketReader, headers: ReadonlyMap<string, string>): Promise<Buffer> {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(reader);
  const length = headers.get('content-length');
  return length === undefined ? reader.toEnd() : reader.bytes(Number(length));
}

async function readChunks(reader: SocketReader): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt((await reader.until('\r\n')).toString('latin1'), 16);
    if (size === 0) break;
    chunks.push(await reader.bytes(size));
    await reader.bytes(2);
  }
  // Trailers, up to the empty line.
  while ((await reader.until('\r\n')).length > 2);
  return Buffer.concat(chunks);
}
