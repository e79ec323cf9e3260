import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

const FILES = 20_000;
const FILES_PER_DIRECTORY = 200;
const BIG_BYTES = 100 * 1024 * 1024;
/** What berth may take at most while it builds, Node itself included. */
const MAX_RESIDENT_KIB = 450 * 1024;
/** Most of it is for other work on the machine: by itself it takes a tenth. */
const TIMEOUT_MS = 300_000;

const job = useJob();
let contexts: string;

beforeAll(() => {
  contexts = mkdtempSync('/tmp/build-large-');
});
afterAll(() => {
  rmSync(contexts, { recursive: true, force: true });
});

function writeContext(name: string, dockerfile: string): string {
  const top = join(contexts, name);
  mkdirSync(top);
  writeFileSync(join(top, 'Dockerfile'), dockerfile);
  return top;
}

async function build(context: string, tag: string): Promise<string> {
  const { code, stdout, stderr } = await job.berth.docker(['build', '-t', tag, context], {
    env: { DOCKER_BUILDKIT: '0' },
    timeoutMs: TIMEOUT_MS,
  });
  expect(code, stderr).toBe(0);
  return stdout;
}

function peakKib(): number {
  const status = readFileSync(`/proc/${job.berth.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
}

test(
  'a context of 20,000 files',
  async () => {
    const top = writeContext('many', 'FROM busybox\nCOPY . /app\n');
    for (let index = 0; index < FILES; index += 1) {
      const directory = join(top, `d${Math.floor(index / FILES_PER_DIRECTORY)}`);
      if (index % FILES_PER_DIRECTORY === 0) mkdirSync(directory);
      writeFileSync(join(directory, `f${index}`), `file ${index}\n`);
    }
    await build(top, 'many');
    const count = await ask(job.berth, 'run', '--rm', 'many', 'sh', '-c', 'find /app -type f | wc -l');
    expect(count).toBe(String(FILES + 1));
    expect(await ask(job.berth, 'run', '--rm', 'many', 'cat', '/app/d50/f10123')).toBe('file 10123');
    expect((await build(top, 'many')).split('Using cache')).toHaveLength(2);
    expect(peakKib()).toBeLessThan(MAX_RESIDENT_KIB);
  },
  TIMEOUT_MS,
);

test(
  'a context of 100 MB in one file',
  async () => {
    const top = writeContext('big', 'FROM busybox\nCOPY big /\n');
    writeFileSync(join(top, 'big'), randomBytes(BIG_BYTES));
    await build(top, 'big');
    const size = await ask(job.berth, 'run', '--rm', 'big', 'stat', '-c', '%s', '/big');
    expect(size).toBe(String(BIG_BYTES));
    expect(peakKib()).toBeLessThan(MAX_RESIDENT_KIB);
  },
  TIMEOUT_MS,
);
