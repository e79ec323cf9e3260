import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { partOf } from '../../test/support/records.ts';
import type { Logger } from '../logger.ts';
import { createAuditLog, type AuditEntry, type AuditLog } from './audit-log.ts';

const ENTRY: AuditEntry = {
  verb: 'create',
  image: 'busybox',
  verdict: 'refused',
  field: 'HostConfig.Privileged',
  asked: 'true',
  reason: 'why',
  setting: 'dind.allow_privileged',
};

let directory: string;
let file: string;
let logged: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-audit-'));
  file = join(directory, 'audit.jsonl');
  logged = [];
});
afterEach(() => rm(directory, { recursive: true }));

function open(maxBytes?: number, at = file): AuditLog {
  const note =
    (level: string) =>
    (...args: readonly unknown[]): void => {
      logged.push(`${level}: ${String(args.at(-1))}`);
    };
  const log = partOf<Logger>({ info: note('info'), warn: note('warn'), error: note('error') });
  return createAuditLog({ file: at, jobId: 'j', log, ...(maxBytes === undefined ? {} : { maxBytes }) });
}

const lines = async (): Promise<readonly unknown[]> =>
  (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

it('writes one line for each decision, for root alone, and counts them', async () => {
  const audit = open();
  audit.record(ENTRY);
  audit.record({ verb: 'POST /volumes/create', verdict: 'constrained', reason: 'r' });
  expect(await lines()).toEqual([
    { time: expect.stringMatching(/^\d{4}-.*Z$/) as string, job: 'j', ...ENTRY },
    {
      time: expect.anything() as string,
      job: 'j',
      verb: 'POST /volumes/create',
      verdict: 'constrained',
      reason: 'r',
    },
  ]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(audit.counts()).toEqual({ refused: 1, constrained: 1, warned: 0, allowed: 0 });
  expect(logged).toEqual(['warn: gate decided', 'info: gate decided']);
});

it('stops writing when the file is full, also after a restart, and goes on counting', async () => {
  const audit = open(1000);
  for (let round = 0; round < 100; round += 1) audit.record({ ...ENTRY, asked: 'x'.repeat(10_000) });
  const { size } = await stat(file);
  expect(size).toBeLessThan(2000);
  expect(audit.counts().refused).toBe(100);
  expect(logged.filter((line) => line.startsWith('warn: too many'))).toHaveLength(1);
  open(1000).record(ENTRY);
  expect((await stat(file)).size).toBe(size);
});

it('says once that it cannot write', () => {
  const audit = open(undefined, join(directory, 'none', 'audit.jsonl'));
  audit.record(ENTRY);
  audit.record(ENTRY);
  expect(logged.filter((line) => line.startsWith('error'))).toHaveLength(1);
  expect(audit.counts().refused).toBe(2);
});
