import { readFileSync } from 'node:fs';
import { EngineError } from '../errors.ts';
import type { RegistryCredentials } from './types.ts';

/** Finds what the node itself holds for a repository; undefined where it holds nothing. */
export type FindNodeCredentials = (reference: {
  readonly domain: string;
  readonly path: string;
}) => RegistryCredentials | undefined;

const DOCKER_HUB_KEYS = ['index.docker.io/v1', 'index.docker.io', 'registry-1.docker.io'];

/**
 * Credentials of the node, in the format of docker's config.json (`auths`): a key is a host, or `host/path` for the
 * repositories below that path, and the longest one that fits counts. The file is read anew each time, so that it can be
 * renewed; what is wrong with it is told to the operator's log, never to a client.
 */
export function createNodeCredentials(file: string | undefined): FindNodeCredentials {
  if (file === undefined) return () => undefined;
  return ({ domain, path }) => {
    const entries = readEntries(file).filter(({ key }) => isPrefix(key, `${domain}/${path}`));
    return entries.sort((a, b) => b.key.length - a.key.length)[0]?.credentials;
  };
}

function readEntries(
  file: string,
): { readonly key: string; readonly credentials: RegistryCredentials | undefined }[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // Without the parser's words: they quote what they could not read.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not JSON';
    throw new EngineError('Internal', `the node's registry credentials cannot be read (${code})`);
  }
  const { auths } = recordOf(parsed);
  return Object.entries(recordOf(auths)).map(([key, entry]) => ({
    key: normalizeKey(key),
    credentials: toCredentials(recordOf(entry)),
  }));
}

// Docker writes Docker Hub's as a URL of an API that is long gone.
function normalizeKey(key: string): string {
  const plain = key
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .toLowerCase();
  if (DOCKER_HUB_KEYS.includes(plain)) return 'docker.io';
  return plain.replace(/\/v[12]$/, '');
}

function isPrefix(key: string, name: string): boolean {
  return name.toLowerCase() === key || name.toLowerCase().startsWith(`${key}/`);
}

function toCredentials(entry: Readonly<Record<string, unknown>>): RegistryCredentials | undefined {
  const text = (name: string): string => (typeof entry[name] === 'string' ? entry[name] : '');
  const decoded = Buffer.from(text('auth'), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const credentials = {
    username: text('username') || decoded.slice(0, Math.max(colon, 0)),
    password: text('password') || (colon === -1 ? '' : decoded.slice(colon + 1).replace(/\0+$/, '')),
    identityToken: text('identitytoken'),
    registryToken: text('registrytoken'),
  };
  return Object.values(credentials).join('') === '' ? undefined : credentials;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
