import { EngineError } from '../errors.ts';
import { toEngineError } from '../host/errors.ts';
import type { OutputChunk } from '../stdio/types.ts';
import { maxPayloadBytes, recordOverheadBytes, writeRecord } from './record.ts';
import { lineAfter, type SegmentHeader } from './segment.ts';
import { wakeReaders, type LiveLog } from './live-log.ts';
import type { SegmentAppender } from './segment-appender.ts';
import type { LogWriter } from './types.ts';

const smallBatchBytes = 16 * 1024;
/** So long large buffers are kept: one that came and went with each write was half the time that a busy log takes. */
const keepBuffersMs = 1_000;
/** So much may wait in memory; then the process is held back. */
const maxWaitingBytes = 1 << 20;

/** Collects records while the disk is busy, so that a slow disk gets few large writes and a fast one gets each at once. */
export function createLogWriter(appender: SegmentAppender, log: LiveLog, onClose: () => void): LogWriter {
  const batch = createBatch(appender.start);
  let flushing: Promise<void> | undefined;
  let failure: EngineError | undefined;
  let closing: Promise<void> | undefined;
  let shrinking: NodeJS.Timeout | undefined;

  const shrinkLater = (): void => {
    if (shrinking) shrinking.refresh();
    else shrinking = setTimeout(() => batch.shrink(), keepBuffersMs).unref();
  };
  const flush = async (): Promise<void> => {
    try {
      while (batch.bytes() > 0) await batch.handOver((records, after) => appender.append(records, after));
      shrinkLater();
    } catch (error) {
      failure = toEngineError(error, 'cannot write the log');
      log.takenBytes = log.writtenBytes;
      wakeReaders(log);
    } finally {
      flushing = undefined;
    }
  };
  const settled = async (): Promise<void> => {
    await flushing;
    if (failure) throw failure;
  };
  const close = async (): Promise<void> => {
    try {
      await settled();
    } finally {
      clearTimeout(shrinking);
      await appender.close();
      onClose();
    }
  };
  return {
    write(chunk) {
      if (failure) throw failure;
      if (closing) throw new EngineError('Conflict', 'the log is closed');
      log.takenBytes += batch.add(chunk);
      flushing ??= flush();
      return batch.bytes() > maxWaitingBytes ? settled() : undefined;
    },
    close: () => (closing ??= close()),
  };
}

interface Batch {
  bytes(): number;
  /** Answers how many bytes its records are. */
  add(chunk: OutputChunk): number;
  /** Gives everything so far away; what is added meanwhile goes to a second buffer. */
  handOver(take: (records: Buffer, after: SegmentHeader) => Promise<void>): Promise<void>;
  /** Gives back large buffers that hold nothing: an idle container keeps none. */
  shrink(): void;
}

function createBatch(start: SegmentHeader): Batch {
  const openLines = { ...start.openLines };
  let { timeNs } = start;
  let buffer = Buffer.alloc(0);
  let used = 0;
  let spare = buffer;
  const reserve = (bytes: number): void => {
    if (buffer.length >= used + bytes) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(smallBatchBytes, used + bytes, buffer.length * 2));
    buffer.copy(grown, 0, 0, used);
    buffer = grown;
  };
  return {
    bytes: () => used,
    add(chunk) {
      const { data, stream } = chunk;
      const usedBefore = used;
      // A reader relies on times that never decrease, also across restarts and changes of the clock.
      if (chunk.timeNs > timeNs) timeNs = chunk.timeNs;
      for (let at = 0; at < data.length; at += maxPayloadBytes) {
        const payload = data.subarray(at, at + maxPayloadBytes);
        reserve(payload.length + recordOverheadBytes);
        const atLineStart = { stdout: openLines.stdout === 0n, stderr: openLines.stderr === 0n };
        used = writeRecord(buffer, used, { stream, timeNs, payload, atLineStart });
        openLines[stream] = lineAfter(openLines[stream], payload, timeNs);
      }
      return used - usedBefore;
    },
    async handOver(take) {
      const [full, records] = [buffer, buffer.subarray(0, used)];
      buffer = spare;
      used = 0;
      await take(records, { openLines: { ...openLines }, timeNs });
      spare = full;
    },
    shrink() {
      if (used > 0) return;
      if (buffer.length > smallBatchBytes) buffer = Buffer.alloc(0);
      if (spare.length > smallBatchBytes) spare = Buffer.alloc(0);
    },
  };
}
