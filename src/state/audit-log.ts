import { appendFileSync, statSync } from 'node:fs';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';

/** One decision about what a client asked for. Holds no secrets: neither environment, nor command, nor credentials. */
export interface AuditEntry {
  /** `create`, `update`, `exec`, or the request's method and path. */
  readonly verb: string;
  /** The image's reference as the client wrote it, where there is one. */
  readonly image?: string;
  readonly verdict: 'refused' | 'constrained' | 'warned' | 'allowed';
  readonly field?: string;
  readonly asked?: string;
  readonly reason: string;
  /** The setting that opens it. */
  readonly setting?: string;
}

/** How many decisions of each kind there were. */
export type AuditCounts = Readonly<Record<AuditEntry['verdict'], number>>;

/** The decisions of one job, one line of JSON each, in its run directory and in the log. */
export interface AuditLog {
  record(entry: AuditEntry): void;
  counts(): AuditCounts;
}

const MAX_BYTES = 1024 * 1024;
const MAX_TEXT = 200;

/** Appends to the file; a job that is refused without end fills neither the file nor the log, only the counts go on. */
export function createAuditLog(parts: {
  readonly file: string;
  readonly jobId: string;
  readonly log: Logger;
  readonly maxBytes?: number;
}): AuditLog {
  const { file, jobId, log, maxBytes = MAX_BYTES } = parts;
  const counts = { refused: 0, constrained: 0, warned: 0, allowed: 0 };
  let room = maxBytes - sizeOf(file);
  const write = (line: object): void => {
    const text = `${JSON.stringify(line)}\n`;
    room -= Buffer.byteLength(text);
    try {
      appendFileSync(file, text, { mode: 0o600 });
    } catch (error) {
      room = 0;
      log.error({ err: messageOf(error) }, 'decisions can no longer be written down');
    }
  };
  return {
    record(entry) {
      counts[entry.verdict] += 1;
      if (room <= 0) return;
      const line = { time: new Date().toISOString(), job: jobId, ...shortened(entry) };
      write(line);
      log[entry.verdict === 'refused' ? 'warn' : 'info']({ decision: shortened(entry) }, 'gate decided');
      if (room <= 0) log.warn('too many decisions: further ones are only counted');
    },
    counts: () => ({ ...counts }),
  };
}

function shortened(entry: AuditEntry): AuditEntry {
  const short = Object.entries(entry).map(([name, text]: [string, string]) => [
    name,
    text.slice(0, MAX_TEXT),
  ]);
  return Object.fromEntries(short) as AuditEntry;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
