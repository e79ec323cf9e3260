import type { RouteContext } from '../http/route.ts';

// Builder 2 is BuildKit, whose door is served beside the classic one.
/** Headers of a ping's answer beside the common ones. */
export const PING_HEADERS = {
  'Builder-Version': '2',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Swarm: 'inactive',
};

/** `GET /_ping`. */
export function ping(context: RouteContext): Promise<void> {
  context.text(200, 'OK', PING_HEADERS);
  return Promise.resolve();
}

/** `HEAD /_ping`: where clients learn the API version. */
export function pingHead(context: RouteContext): Promise<void> {
  context.empty(200, { ...PING_HEADERS, 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': '0' });
  return Promise.resolve();
}
