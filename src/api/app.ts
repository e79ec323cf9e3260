import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
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

const setCommonHeaders: RequestHandler = (_request, response, next) => {
  for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
  next();
};

/** A web page must not reach a daemon through its reader's browser. */
const refuseBrowsers: RequestHandler = (request, _response, next) => {
  if (isFromBrowser(request))
    throw new EngineError('PermissionDenied', 'requests from web browsers are refused');
  next();
};

const checkTarget: RequestHandler = (request, response, next) => {
  if (!KNOWN_METHODS.has(request.method)) throw new EdgeError(405, 'method not allowed');
  const { path, search } = splitTarget(request.url);
  const cleaner = cleanerPath(path);
  if (cleaner === undefined) {
    next();
    return;
  }
  response.writeHead(301, {
    Location: search === '' ? cleaner : `${cleaner}?${search}`,
    'Content-Length': 0,
  });
  response.end();
};

const refuseUnknown: RequestHandler = () => {
  throw new EdgeError(404, 'page not found');
};

/** Node takes off `chunked` alone: a body of another coding would be read as if it were plain. */
const refuseCodings: RequestHandler = ({ headers }, response, next) => {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    response.setHeader('Connection', 'close');
    throw new EngineError('InvalidArgument', `unsupported transfer encoding: ${JSON.stringify(coding)}`);
  }
  next();
};

function dispatch({ job, routes }: AppOptions, rawSockets: WeakMap<IncomingMessage, Socket>): RequestHandler {
  // Not Express's own routing, which compares a request with every pattern there is.
  const find = createRouteTable(routes);
  return async (request, response, next) => {
    const found = find(request.method, splitTarget(request.url).path);
    if (!found) {
      next();
      return;
    }
    const { route, params } = found;
    await runRoute(route, { request, response, params, rawSocket: rawSockets.get(request) }, job);
  };
}

function errorHandler(job: Job): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line @typescript-eslint/max-params, @typescript-eslint/no-unused-vars
  return (error: unknown, request, response, _next) => {
    logError(error, {
      job,
      what: `${request.method} ${splitTarget(request.url).path}`,
      isLeft: response.destroyed,
    });
    if (response.headersSent) response.destroy();
    else sendError(response, describeError(error, job));
  };
}

function createExpress(options: AppOptions, rawSockets: WeakMap<IncomingMessage, Socket>): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.use(setCommonHeaders, refuseBrowsers, checkTarget, refuseCodings, dispatch(options, rawSockets));
  app.use(refuseUnknown, errorHandler(options.job));
  return app;
}

/**
 * The Docker API of one job. Requests to hijack routes come past Node's body parser, with or without an Upgrade
 * header, and take the same way as all others: one route table, one gate.
 */
export function createApp(options: AppOptions): DockerApp {
  const rawSockets = new WeakMap<IncomingMessage, Socket>();
  const app = createExpress(options, rawSockets);
  return {
    onRequest: app,
    onHijack(request, socket, head) {
      if (head.length > 0) socket.unshift(head);
      rawSockets.set(request, socket);
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once('finish', () => {
        response.detachSocket(socket);
        closeGently(socket);
      });
      app(request, response);
    },
  };
}
