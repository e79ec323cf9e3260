import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { SERVER_NAME } from '../engine/system/server-name.ts';
import { MAX_API_VERSION } from './http/api-version.ts';

/** Headers of every answer of the Docker API. */
export const COMMON_HEADERS = {
  'Api-Version': MAX_API_VERSION,
  'Docker-Experimental': 'false',
  Ostype: 'linux',
  Server: SERVER_NAME,
} as const;

/**
 * True for a request that a web page had its reader's browser send: no Docker client sends these headers, but that
 * WebSocket clients say the daemon itself is their origin, where no page comes from.
 */
export function isFromBrowser({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): boolean {
  if (socket instanceof TLSSocket && !isOwnHost(headers.host, socket.localAddress)) return true;
  if (Object.keys(headers).some((name) => name.startsWith('sec-fetch-'))) return true;
  return headers.origin !== undefined && !isOwnOrigin(headers);
}

function isOwnOrigin({ upgrade, origin, host }: IncomingHttpHeaders): boolean {
  if (upgrade?.toLowerCase() !== 'websocket' || origin === undefined || host === undefined) return false;
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** A page whose name was made to lead to our address still says its own name. */
function isOwnHost(host: string | undefined, address: string | undefined): boolean {
  // Docker's own client says an empty name where it takes a connection over for BuildKit; browsers never do.
  if (host === '') return true;
  if (host === undefined) return false;
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === address || name === 'localhost';
}
