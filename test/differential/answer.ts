import { Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import type { RawResponse } from '../support/raw-http.ts';
import { decodeMessages } from './web-socket.ts';

/** What a daemon answered, decoded by its content type. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** The headers that clients read. */
const COMPARED_HEADERS = [
  'allow',
  'builder-version',
  'cache-control',
  'content-type',
  'docker-experimental',
  'location',
  'ostype',
  'pragma',
  'sec-websocket-accept',
  'swarm',
  'upgrade',
  'x-docker-container-path-stat',
];

/** Decodes JSON, lines of JSON, framed output, tars and text. */
export async function decodeAnswer({ status, headers, body }: RawResponse): Promise<Answer> {
  const compared = COMPARED_HEADERS.filter((name) => headers.has(name)).map(
    (name) => [name, decodeHeader(name, headers.get(name) ?? '')] as const,
  );
  if (headers.get('upgrade') === 'websocket')
    return { status, headers: Object.fromEntries(compared), body: decodeMessages(body) };
  const type = headers.get('content-type') ?? '';
  return { status, headers: Object.fromEntries(compared), body: await decodeBody(type, body) };
}

function decodeHeader(name: string, value: string): unknown {
  if (name !== 'x-docker-container-path-stat') return value;
  return JSON.parse(Buffer.from(value, 'base64').toString());
}

async function decodeBody(type: string, body: Buffer): Promise<unknown> {
  if (type.startsWith('application/json')) return decodeJson(body.toString());
  if (type.startsWith('application/x-tar')) return { tar: await listTar(body) };
  return decodeFrames(body) ?? decodeJson(body.toString());
}

function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.map((line): unknown => {
      try {
        return JSON.parse(line);
      } catch {
        return line;
      }
    });
  }
}

/** Text by stream: how it was cut into frames, and in which order two pipes were read, is chance. */
function decodeFrames(body: Buffer): unknown {
  const texts = new Map<number, string>();
  let at = 0;
  while (at < body.length) {
    const stream = body[at] ?? 255;
    if (body.length - at < 8 || stream > 3 || body.readUIntBE(at + 1, 3) !== 0) return undefined;
    const end = at + 8 + body.readUInt32BE(at + 4);
    if (end > body.length) return undefined;
    const text = body.toString('utf8', at + 8, end);
    texts.set(stream, (texts.get(stream) ?? '') + text);
    at = end;
  }
  return texts.size === 0 ? undefined : { streams: Object.fromEntries(texts) };
}

async function listTar(body: Buffer): Promise<readonly unknown[]> {
  const entries: Partial<Header>[] = [];
  const reader = extract();
  Readable.from([body]).pipe(reader);
  for await (const entry of reader) {
    const { name, type, mode, uid, gid, linkname, size } = entry.header;
    // dockerd repeats the type in the mode's upper bits.
    entries.push({ name, type, mode: mode & 0o7777, uid, gid, linkname, size });
    entry.resume();
  }
  return entries.sort((a, b) => (a.name ?? '').localeCompare(b.name ?? ''));
}
