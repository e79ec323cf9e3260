import type { StreamName } from '../stdio/types.ts';
import { readBackward, type LogRecord } from './backward-reader.ts';
import { isBefore, type LogPosition } from './live-log.ts';
import { streamNames } from './record.ts';

/** Where the text of a stream begins to be read: at the beginning of a line. */
export interface StreamStart {
  readonly position: LogPosition;
  /** Bytes of the record's payload that belong to earlier lines. */
  readonly skipBytes: number;
}

/** A start per stream; a stream without one is read from the beginning of the log, or is not asked for. */
export type TailStarts = Readonly<Partial<Record<StreamName, StreamStart>>>;

/** The last lines to be found, of these streams, before a position. */
export interface TailRequest {
  readonly lines: number;
  readonly streams: readonly StreamName[];
  readonly end: LogPosition;
  /** Whether an unfinished last line is a line; one that is going to be finished is read, but not counted. */
  readonly countUnfinished: boolean;
}

/** Finds where the last lines begin, reading no more of the log than holds them. */
export async function findTail(directory: string, request: TailRequest): Promise<TailStarts> {
  const { lines, streams, end } = request;
  const starts: Partial<Record<StreamName, StreamStart>> = {};
  const pending = new Set(streams);
  const met = new Set<StreamName>();
  let count = 0;
  // Once all lines are counted, only the beginnings of those that go on from earlier records are looked for.
  let isCounted = lines === 0;
  const settle = (stream: StreamName, position: LogPosition, skipBytes: number): void => {
    starts[stream] = { position, skipBytes };
    pending.delete(stream);
  };
  const endsLine = ({ header, payload }: LogRecord): boolean =>
    request.countUnfinished && !met.has(header.stream) && payload.at(-1) !== 10;
  const countLines = (record: LogRecord): void => {
    const { stream } = record.header;
    const ended = record.header.newlines + (endsLine(record) ? 1 : 0);
    met.add(stream);
    const surplus = count + ended - lines;
    count += ended;
    if (surplus < 0) return;
    isCounted = true;
    if (surplus > 0) settle(stream, record.position, offsetAfterLines(record.payload, surplus));
  };
  for await (const record of readBackward(directory, end)) {
    const { stream, newlines, atLineStart } = record.header;
    if (isCounted && pending.has(stream)) {
      if (endsLine(record)) settle(stream, record.position, record.payload.length);
      else if (newlines > 0) settle(stream, record.position, record.payload.lastIndexOf(10) + 1);
      met.add(stream);
    } else if (!isCounted && streams.includes(stream)) {
      countLines(record);
    }
    if (!isCounted) continue;
    for (const name of pending) if (atLineStart[name]) settle(name, record.position, 0);
    if (pending.size === 0) break;
  }
  return starts;
}

function offsetAfterLines(payload: Buffer, lines: number): number {
  let offset = 0;
  for (let index = 0; index < lines; index += 1) offset = payload.indexOf(10, offset) + 1;
  return offset;
}

/** The earliest of the starts, or undefined where a stream is read from the beginning. */
export function earliestStart(starts: TailStarts, streams: readonly StreamName[]): LogPosition | undefined {
  let earliest: LogPosition | undefined;
  for (const name of streamNames.filter((stream) => streams.includes(stream))) {
    const position = starts[name]?.position;
    if (!position) return undefined;
    if (!earliest || isBefore(position, earliest)) earliest = position;
  }
  return earliest;
}
