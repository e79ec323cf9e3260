import type { IncomingMessage } from 'node:http';
import { splitTarget } from './http/request-target.ts';
import { compileRoutePath } from './http/route-path.ts';
import type { Route } from './http/route.ts';

/** Which requests a route answers. */
export type RouteKey = Pick<Route, 'method' | 'path'>;

// Named apart from the route table, which loads the whole engine with it: how a request is to be read has to be known
// from the first connection on. A test holds both against each other.
/** The routes whose connection may be taken over. */
export const HIJACK_ROUTES: readonly RouteKey[] = [
  { method: 'POST', path: '/containers/:id/attach' },
  { method: 'GET', path: '/containers/:id/attach/ws' },
  { method: 'POST', path: '/exec/:id/start' },
  { method: 'POST', path: '/grpc' },
  { method: 'POST', path: '/session' },
];

/** Tells the requests to these routes from others: they must not pass through Node's body parser. */
export function createHijackMatcher(
  routes: readonly RouteKey[],
): (request: Pick<IncomingMessage, 'method' | 'url'>) => boolean {
  const patterns = routes.map(({ method, path }) => ({ method, pattern: compileRoutePath(path) }));
  return ({ method, url }) => {
    const { path } = splitTarget(url ?? '');
    return patterns.some((route) => route.method === method && route.pattern.test(path));
  };
}
