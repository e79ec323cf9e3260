import { isIP } from 'node:net';

import { EngineError } from '../errors.ts';

/** The bytes of an address, 4 or 16; InvalidArgument for a text that is none. */
export function addressBytes(text: string): Buffer {
  switch (isIP(text)) {
    case 4:
      return Buffer.from(text.split('.').map(Number));
    case 6:
      return sixBytes(text);
    default:
      throw new EngineError('InvalidArgument', `invalid IP address: ${JSON.stringify(text)}`);
  }
}

function sixBytes(text: string): Buffer {
  const [plain = ''] = text.split('%', 1);
  const [head = '', tail] = withoutDots(plain).split('::');
  const [first, last] = [groups(head), groups(tail ?? '')];
  const missing = Array.from({ length: 8 - first.length - last.length }, () => 0);
  const all = tail === undefined ? first : [...first, ...missing, ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}

// The last 32 bits may be written as an IPv4 address.
function withoutDots(text: string): string {
  const at = text.lastIndexOf(':') + 1;
  const dotted = text.slice(at);
  if (!dotted.includes('.')) return text;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${text.slice(0, at)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** The text of 16 bytes in the one form that RFC 5952 has for it. */
export function formatSix(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const text = words.join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.sort((a, b) => b.split(':0').length - a.split(':0').length)[0];
  if (longest === undefined) return text;
  const at = text.indexOf(longest);
  const [before, after] = [text.slice(0, at), text.slice(at + longest.length).replace(/^:/, '')];
  return `${before}::${after}`;
}
