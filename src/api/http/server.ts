import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { createRequestTurns } from './request-turns.ts';

/** Who serves what the server receives. */
export interface ServerHandlers {
  readonly onRequest: RequestListener;
  /** True for requests whose connection a handler may take over. */
  readonly isHijack: (request: IncomingMessage) => boolean;
  /** Gets those, and all bytes after their headers: `head`, then the socket. */
  readonly onHijack: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
}

const MAX_HEADER_BYTES = 256 * 1024;
const HEADERS_TIMEOUT_MS = 60_000;

/** The part of Node's HTTP parser that decides about an upgrade; not in its documentation, the same since Node 10. */
interface RequestParser {
  onIncoming: (request: IncomingMessage, shouldKeepAlive: boolean) => unknown;
}

function parserOf(socket: Socket): RequestParser {
  const { parser } = socket as Socket & { readonly parser?: Partial<RequestParser> };
  if (typeof parser?.onIncoming !== 'function')
    throw new Error('this version of Node has an unknown HTTP parser');
  return parser as RequestParser;
}

// Node parses what follows a request as the next one, unless the request is an upgrade. Clients may ask for a hijack
// without an Upgrade header, and must not change by one how any other request is read: so the route decides, at the
// moment when the headers are complete, with no byte after them consumed yet.
function decideUpgrades(socket: Socket, isHijack: ServerHandlers['isHijack']): void {
  const parser = parserOf(socket);
  const onIncoming = parser.onIncoming.bind(parser);
  parser.onIncoming = (request, shouldKeepAlive) => {
    const decided = request as IncomingMessage & { upgrade: boolean };
    decided.upgrade = request.method === 'CONNECT' || isHijack(request);
    return onIncoming(request, shouldKeepAlive);
  };
}

/** An HTTP server with limits that let streams live as long as they like, but not headers. */
export function createHttpServer({ onRequest, isHijack, onHijack }: ServerHandlers): Server {
  const turns = createRequestTurns(onRequest);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Bodies may be uploads of any length; handlers that parse a body bound it by themselves.
    requestTimeout: 0,
    // As dockerd: clients reuse a connection after any pause, and a POST that meets a closing one cannot be repeated.
    keepAliveTimeout: 0,
    insecureHTTPParser: false,
  });
  // A client may end its half and still read: Node's default would answer a slow request with nothing.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket) => {
    decideUpgrades(socket, isHijack);
  });
  server.on('request', turns.onRequest);
  server.on('upgrade', (request, _duplex, head) => {
    const { socket } = request;
    // From here on it has none of the server's listeners, and an error that nobody hears ends the process.
    socket.on('error', () => socket.destroy());
    // A connection with an answer still to come cannot be taken over: their bytes would mix.
    if (turns.isTaken(socket)) socket.destroy();
    else onHijack(request, socket, head);
  });
  server.on('connect', (_request, socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () =>
      socket.destroy(),
    );
  });
  return server;
}
