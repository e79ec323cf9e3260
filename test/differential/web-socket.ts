/** What a client sends to be answered by a WebSocket (RFC 6455); the key is that of the standard's example. */
export const WEB_SOCKET_HEADERS = {
  ...{ Connection: 'Upgrade', Upgrade: 'websocket' },
  ...{ 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' },
} as const;

const OPCODES = { text: 1, binary: 2, close: 8 } as const;
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);

/** The text in one message and an orderly close, as a client's bytes; the mask is one that changes nothing. */
export function sayAndClose(text: string): string {
  const message = Buffer.from(text);
  const frame = (opcode: number, data: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | data.length, 0, 0, 0, 0]), data]);
  const frames = [frame(OPCODES.binary, message), frame(OPCODES.close, NORMAL_CLOSURE)];
  return Buffer.concat(frames).toString('latin1');
}

/** Texts of a server's messages by their kind, and the codes that it closed with; how text was cut is chance. */
export function decodeMessages(bytes: Buffer): Readonly<Record<string, string>> {
  const kinds = new Map<string, string>();
  let at = 0;
  while (at + 2 <= bytes.length) {
    const opcode = (bytes[at] ?? 0) & 0x0f;
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const start = at + (short === 126 ? 4 : 2);
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const data = bytes.subarray(start, start + length);
    const kind = Object.entries(OPCODES).find(([, code]) => code === opcode)?.[0] ?? String(opcode);
    kinds.set(
      kind,
      (kinds.get(kind) ?? '') + (opcode === OPCODES.close ? data.toString('hex') : data.toString()),
    );
    at = start + length;
  }
  return Object.fromEntries(kinds);
}
