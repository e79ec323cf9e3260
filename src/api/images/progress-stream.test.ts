import { describe, expect, test } from 'vitest';
import { partOf } from '../../../test/support/records.ts';
import type { Job } from '../../engine/job.ts';
import { EngineError } from '../../errors.ts';
import { createLogger } from '../../logger.ts';
import type { ByteWriter, RouteContext } from '../http/route.ts';
import { answerWithProgress } from './progress-stream.ts';

interface Answer {
  readonly context: RouteContext;
  readonly lines: () => readonly unknown[];
  readonly isOpen: () => boolean;
}

function createAnswer(waitForClient: () => Promise<void> = () => Promise.resolve()): Answer {
  const chunks: string[] = [];
  let opened = false;
  const writer: ByteWriter = {
    async write(...parts) {
      await waitForClient();
      for (const part of parts) chunks.push(Buffer.from(part).toString());
    },
    end: () => Promise.resolve(),
  };
  const context = partOf<RouteContext>({
    job: partOf<Job>({
      paths: partOf<Job['paths']>({ stateDir: '/state', runDir: '/run-dir' }),
      log: createLogger('silent'),
      settings: partOf<Job['settings']>({ root: '/root-dir', runDir: '/run' }),
    }),
    signal: new AbortController().signal,
    openStream: () => {
      opened = true;
      return writer;
    },
  });
  const lines = (): readonly unknown[] =>
    chunks
      .join('')
      .split('\r\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
  return { context, lines, isOpen: () => opened };
}

describe('answerWithProgress', () => {
  test('sends each line, with a bar where there are counts', async () => {
    const { context, lines } = createAnswer();
    await answerWithProgress(context, async (report) => {
      report({ status: 'Pulling from library/x', id: 'latest' });
      report({ status: 'Downloading', id: 'abc', progressDetail: { current: 512, total: 1024 } });
      report({ status: 'Pull complete', id: 'abc', progressDetail: {} });
    });
    expect(lines()).toEqual([
      { status: 'Pulling from library/x', id: 'latest' },
      {
        status: 'Downloading',
        id: 'abc',
        progressDetail: { current: 512, total: 1024 },
        progress: `[${'='.repeat(25)}>${' '.repeat(24)}]  512B/1.024kB`,
      },
      { status: 'Pull complete', id: 'abc', progressDetail: {} },
    ]);
  });

  test('leaves an error before the first line to be a status', async () => {
    const { context, isOpen } = createAnswer();
    const failure = new EngineError('NotFound', 'manifest for x:y not found');
    await expect(answerWithProgress(context, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(isOpen()).toBe(false);
  });

  test('ends with the error that came later, without paths of the host', async () => {
    const { context, lines } = createAnswer();
    await answerWithProgress(context, (report) => {
      report({ status: 'Pulling from library/x', id: 'latest' });
      return Promise.reject(new EngineError('Internal', 'cannot read /state/x/y'));
    });
    const message = 'cannot read (host path)';
    expect(lines().at(-1)).toEqual({ errorDetail: { message }, error: message });
  });

  test('drops counts for a slow client, and nothing else', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { context, lines } = createAnswer(() => held);
    await answerWithProgress(context, async (report) => {
      for (let current = 1; current <= 10_000; current += 1)
        report({ status: 'Downloading', id: 'abc', progressDetail: { current, total: 10_000 } });
      for (let step = 0; step < 300; step += 1)
        report({ status: 'Pull complete', id: String(step), progressDetail: {} });
      release();
    });
    expect(lines().length).toBeLessThan(600);
    expect(lines().filter((line) => (line as { status: string }).status === 'Pull complete')).toHaveLength(
      300,
    );
  });
});
