import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Job } from '../engine/job.ts';
import { EngineError } from '../errors.ts';
import { COMMON_HEADERS, isFromBrowser } from './common-headers.ts';
import type { DockerApp } from './docker-server.ts';
import { runRoute } from './http/endpoint.ts';
import { describeError, EdgeError, logError, sendError } from './http/error-response.ts';
import { closeGently } from './http/hijack.ts';
import { cleanerPath, splitTarget } from './http/request-target.ts';
import { createRouteTable } from './http/route-table.ts';
import type { Route } from './http/route.ts';

/** What an app is made of. */
export interface AppOptions {
  readonly job: Job;
  readonly routes: readonly Route[];
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Answers one request, whatever comes of it. Never fails. */
function createHandler({ job, routes }: AppOptions, rawSockets: WeakMap<IncomingMessage, Socket>): Handle {
  const find = createRouteTable(routes);
  return async (request, response) => {
    const { method = '', url = '' } = request;
    const { path, search } = splitTarget(url);
    try {
      for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
      checkSender(request);
      const cleaner = cleanerPath(path);
      if (cleaner !== undefined) {
        redirect(response, search === '' ? cleaner : `${cleaner}?${search}`);
        return;
      }
      const found = find(method, path);
      if (!found) throw new EdgeError(404, 'page not found');
      const { route, params } = found;
      await runRoute(route, { request, response, params, rawSocket: rawSockets.get(request) }, job);
    } catch (error) {
      logError(error, { job, what: `${method} ${path}`, isLeft: response.destroyed });
      if (response.headersSent) response.destroy();
      else sendError(response, describeError(error, job));
    }
  };
}

/** A web page must not reach a daemon through its reader's browser. */
function checkSender(request: IncomingMessage): void {
  if (isFromBrowser(request))
    throw new EngineError('PermissionDenied', 'requests from web browsers are refused');
  if (!KNOWN_METHODS.has(request.method ?? '')) throw new EdgeError(405, 'method not allowed');
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(301, { Location: location, 'Content-Length': 0 });
  response.end();
}

/** Puts back what the parser read too much; of a chunked request only the end of an empty body can be there. */
function unreadBytes(request: IncomingMessage, head: Buffer): Buffer {
  const emptyBody = '0\r\n\r\n';
  const isEmptyChunked =
    request.headers['transfer-encoding'] === 'chunked' &&
    head.toString('latin1', 0, emptyBody.length) === emptyBody;
  return isEmptyChunked ? head.subarray(emptyBody.length) : head;
}

/**
 * The Docker API of one job. Requests to hijack routes come past Node's body parser, with or without an Upgrade
 * header, and take the same way as all others: one route table, one gate.
 */
export function createApp(options: AppOptions): DockerApp {
  const rawSockets = new WeakMap<IncomingMessage, Socket>();
  const handle = createHandler(options, rawSockets);
  return {
    onRequest(request, response) {
      void handle(request, response);
    },
    onHijack(request, socket, head) {
      const rest = unreadBytes(request, head);
      if (rest.length > 0) socket.unshift(rest);
      rawSockets.set(request, socket);
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once('finish', () => {
        response.detachSocket(socket);
        closeGently(socket);
      });
      void handle(request, response);
    },
  };
}
