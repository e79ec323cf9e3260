import { EngineError } from '../errors.ts';

const headBytes = 5;
const maxDocumentBytes = 1 << 20;
const kinds = ['request', 'answer', 'failure', 'data', 'end'] as const;

/** What a frame holds: `data` is bytes, `end` nothing, everything else a JSON document. */
export type FrameKind = (typeof kinds)[number];

/** A frame, or of `data` a piece of one. */
export interface Frame {
  readonly kind: FrameKind;
  readonly bytes: Buffer;
}

/** The first bytes of a frame: its kind, and the length of what follows. */
export function encodeHead(kind: FrameKind, sizeBytes: number): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(kinds.indexOf(kind), 0);
  head.writeUInt32LE(sizeBytes, 1);
  return head;
}

/** A whole frame with a JSON document. */
export function encodeDocument(kind: FrameKind, document: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(document));
  return Buffer.concat([encodeHead(kind, bytes.length), bytes]);
}

/** Answers the next frame, or undefined where the stream has ended; data comes in the pieces in which it is there. */
export type FrameReader = () => Promise<Frame | undefined>;

/** Reads frames off a stream, none of whose bytes it takes before they are asked for. */
export function createFrameReader(input: AsyncIterable<Buffer>): FrameReader {
  const chunks = input[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let dataLeft = 0;
  const fill = async (sizeBytes: number): Promise<boolean> => {
    while (rest.length < sizeBytes) {
      const next = await chunks.next();
      if (next.done === true) return false;
      rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    }
    return true;
  };
  const take = (sizeBytes: number): Buffer => {
    const taken = rest.subarray(0, sizeBytes);
    rest = rest.subarray(taken.length);
    return taken;
  };
  const takeData = async (): Promise<Frame | undefined> => {
    if (!(await fill(1))) return undefined;
    const bytes = take(dataLeft);
    dataLeft -= bytes.length;
    return { kind: 'data', bytes };
  };
  return async () => {
    if (dataLeft > 0) return takeData();
    if (!(await fill(headBytes))) return undefined;
    const head = take(headBytes);
    const kind = kinds[head.readUInt8(0)];
    const sizeBytes = head.readUInt32LE(1);
    if (kind === undefined || (kind !== 'data' && sizeBytes > maxDocumentBytes))
      throw new EngineError('Internal', 'a look-up process wrote something that is no frame');
    if (kind === 'data') {
      dataLeft = sizeBytes;
      return takeData();
    }
    return (await fill(sizeBytes)) ? { kind, bytes: take(sizeBytes) } : undefined;
  };
}
