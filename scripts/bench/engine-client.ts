import { Agent, request } from 'node:http';

/** The answer to one request: status and the body, parsed where it is JSON. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Speaks Docker's API over one kept-alive connection pool, as a client library does. */
export interface EngineClient {
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** As `call`, but anything that is not a success throws. */
  expect<T>(method: string, path: string, body?: unknown): Promise<T>;
  close(): void;
}

/** Connects to a daemon's unix socket. */
export function connectEngine(socketPath: string): EngineClient {
  const agent = new Agent({ keepAlive: true });
  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const headers =
        payload === undefined
          ? {}
          : {
              'content-type': Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json',
              'content-length': Buffer.byteLength(payload),
            };
      const outgoing = request({ agent, socketPath, method, path: `/v1.41${path}`, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
        incoming.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  return {
    call,
    async expect<T>(method: string, path: string, body?: unknown) {
      const { status, text } = await call(method, path, body);
      if (status >= 300) throw new Error(`${method} ${path}: ${String(status)} ${text}`);
      return (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text) as T;
    },
    close: () => {
      agent.destroy();
    },
  };
}
