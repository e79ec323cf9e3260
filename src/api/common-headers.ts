import { SERVER_NAME } from '../engine/system/server-name.ts';
import { MAX_API_VERSION } from './http/api-version.ts';

/** Headers of every answer of the Docker API. */
export const COMMON_HEADERS = {
  'Api-Version': MAX_API_VERSION,
  'Docker-Experimental': 'false',
  Ostype: 'linux',
  Server: SERVER_NAME,
} as const;

/** True for a request that a web page had its reader's browser send; no Docker client sends these headers. */
export function isFromBrowser(headers: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(headers).some((name) => name === 'origin' || name.startsWith('sec-fetch-'));
}
