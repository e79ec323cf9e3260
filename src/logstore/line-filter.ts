import type { StreamName } from '../stdio/types.ts';
import type { LogBlock } from './block-reader.ts';
import { isBefore, type LogPosition } from './live-log.ts';
import {
  readRecordHeader,
  recordHeaderBytes,
  recordOverheadBytes,
  streamNames,
  type RecordHeader,
} from './record.ts';
import type { SegmentHeader } from './segment.ts';
import type { StreamStart, TailStarts } from './tail.ts';
import type { LogFrame, LogReadOptions } from './types.ts';

const frameBytes = 64 * 1024;
/** A payload of this size is passed on as it lies; copying smaller ones together saves frames. */
const largePayloadBytes = 16 * 1024;

interface StreamState {
  readonly isWanted: boolean;
  start: StreamStart | undefined;
  isMidLine: boolean;
  /** Whether the unfinished line is shown. */
  isShown: boolean;
}

/** Turns records into what `docker logs` shows of them. */
export interface LineFilter {
  /** The frames of a block; each is only valid until the next one is asked for. */
  frames(block: LogBlock): Generator<LogFrame, void, undefined>;
  /** True when no later line can be shown. */
  readonly isDone: boolean;
}

/** Makes a filter for a reading that begins where `starts` says, or behind a segment's header. */
export function createLineFilter(
  options: LogReadOptions,
  starts: TailStarts,
  before: SegmentHeader | undefined,
): LineFilter {
  const range = createRange(options);
  const newState = (name: StreamName): StreamState => {
    const openedNs = before?.openLines[name] ?? 0n;
    const isShown = range.includes(openedNs);
    return { isWanted: options[name], start: starts[name], isMidLine: openedNs > 0n, isShown };
  };
  const states: States = { stdout: newState('stdout'), stderr: newState('stderr') };
  const show = (header: RecordHeader, payload: Buffer): readonly Buffer[] => {
    const { old, fresh } = splitPayload(states[header.stream], payload, range.includes(header.timeNs));
    if (!options.timestamps && options.details === undefined) {
      const isWhole = old.length > 0 && fresh.length > 0;
      return isWhole ? [payload] : [old, fresh];
    }
    return [old, fresh.length === 0 ? empty : prefixLines(fresh, prefixOf(options, header.timeNs))];
  };
  const gather = createGather();
  let isDone = false;
  return {
    get isDone() {
      return isDone;
    },
    *frames({ bytes, position, jumped }) {
      if (jumped) enterSegment(states, jumped, range);
      gather.reserve(bytes.length);
      for (let offset = 0; offset < bytes.length;) {
        const header = readRecordHeader(bytes, offset);
        if (!header) return;
        isDone = range.isPast(header.timeNs) && !hasShownOpenLine(states);
        if (isDone) break;
        const payloadAt = offset + recordHeaderBytes;
        const record = bytes.subarray(payloadAt, payloadAt + header.payloadBytes);
        const at = { segment: position.segment, offset: position.offset + offset };
        const payload = fromStart(states[header.stream], at, record);
        offset += header.payloadBytes + recordOverheadBytes;
        if (payload.length === 0) continue;
        for (const piece of show(header, payload)) {
          if (piece.length > 0) yield* gather.add(header.stream, piece);
        }
      }
      yield* gather.rest();
    },
  };
}

type States = Readonly<Record<StreamName, StreamState>>;

interface TimeRange {
  includes(timeNs: bigint): boolean;
  isPast(timeNs: bigint): boolean;
}

function createRange({ sinceNs = 0n, untilNs }: LogReadOptions): TimeRange {
  const isPast = (timeNs: bigint): boolean => untilNs !== undefined && timeNs > untilNs;
  return { isPast, includes: (timeNs) => timeNs >= sinceNs && !isPast(timeNs) };
}

function enterSegment(states: States, header: SegmentHeader, range: TimeRange): void {
  for (const name of streamNames) {
    const openedNs = header.openLines[name];
    Object.assign(states[name], { isMidLine: openedNs > 0n, isShown: range.includes(openedNs) });
  }
}

// What is shown of a payload: the rest of the line before, and the lines that begin in it; both may be empty.
function splitPayload(
  state: StreamState,
  payload: Buffer,
  isInRange: boolean,
): { old: Buffer; fresh: Buffer } {
  const newline = state.isMidLine ? payload.indexOf(10) : -1;
  const restBytes = newline === -1 ? payload.length : newline + 1;
  const oldBytes = state.isMidLine ? restBytes : 0;
  const old = state.isShown ? payload.subarray(0, oldBytes) : empty;
  state.isMidLine = payload.at(-1) !== 10;
  if (oldBytes === payload.length) return { old, fresh: empty };
  state.isShown = isInRange;
  return { old, fresh: isInRange ? payload.subarray(oldBytes) : empty };
}

const empty = Buffer.alloc(0);

// What of a record is to be looked at: nothing before the stream's start, there the part behind the lines before it.
function fromStart(state: StreamState, at: LogPosition, payload: Buffer): Buffer {
  if (!state.isWanted) return empty;
  const { start } = state;
  if (!start) return payload;
  if (isBefore(at, start.position)) return empty;
  state.start = undefined;
  state.isMidLine = false;
  return isBefore(start.position, at) ? payload : payload.subarray(start.skipBytes);
}

function hasShownOpenLine(states: States): boolean {
  return streamNames.some((name) => states[name].isWanted && states[name].isMidLine && states[name].isShown);
}

function prefixOf({ timestamps, details }: LogReadOptions, timeNs: bigint): Buffer {
  return Buffer.from(
    `${timestamps ? `${formatTimeNs(timeNs)} ` : ''}${details === undefined ? '' : `${details} `}`,
    'latin1',
  );
}

/** RFC 3339 with nine digits of fraction, as dockerd prints the time of a line. */
export function formatTimeNs(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 20);
  return `${seconds}${String(timeNs % 1_000_000_000n).padStart(9, '0')}Z`;
}

function prefixLines(lines: Buffer, prefix: Buffer): Buffer {
  const ends: number[] = [];
  for (let at = 0; at < lines.length; at = ends.at(-1) ?? lines.length) {
    const newline = lines.indexOf(10, at);
    ends.push(newline === -1 ? lines.length : newline + 1);
  }
  const result = Buffer.allocUnsafe(lines.length + ends.length * prefix.length);
  let [from, to] = [0, 0];
  for (const end of ends) {
    result.set(prefix, to);
    to += prefix.length;
    to += lines.copy(result, to, from, end);
    from = end;
  }
  return result;
}

interface Gather {
  /** Room for the pieces of a block. */
  reserve(blockBytes: number): void;
  add(stream: StreamName, piece: Buffer): Generator<LogFrame, void, undefined>;
  rest(): Generator<LogFrame, void, undefined>;
}

// Small pieces of one stream that follow each other become one frame.
function createGather(): Gather {
  let buffer = empty;
  let used = 0;
  let current: StreamName = 'stdout';
  function* rest(): Generator<LogFrame, void, undefined> {
    const length = used;
    used = 0;
    if (length > 0) yield { stream: current, data: buffer.subarray(0, length) };
  }
  function* add(stream: StreamName, piece: Buffer): Generator<LogFrame, void, undefined> {
    if (stream !== current || used + piece.length > buffer.length) yield* rest();
    current = stream;
    if (piece.length >= largePayloadBytes || piece.length > buffer.length) {
      yield* rest();
      yield { stream, data: piece };
    } else {
      piece.copy(buffer, used);
      used += piece.length;
    }
  }
  return {
    // Kept between large blocks (a new one for each was a third of the time that a large log takes), and given back with a
    // small one: who has caught up waits.
    reserve(blockBytes) {
      const bytes = Math.min(frameBytes, blockBytes);
      if (buffer.length < bytes || bytes < frameBytes) buffer = Buffer.allocUnsafe(bytes);
    },
    add,
    rest,
  };
}
