import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { startProcess } from '../support/e2e-process.ts';

const job = useJob();
const BASE = 'FROM busybox\n';
let contexts: string;

beforeAll(async () => {
  contexts = await mkdtemp('/tmp/build-leaving-');
});
afterAll(async () => {
  await rm(contexts, { recursive: true, force: true });
});

async function context(files: Readonly<Record<string, string>>): Promise<string> {
  const top = await mkdtemp(join(contexts, 'c-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(top, path)), { recursive: true });
    await writeFile(join(top, path), content);
  }
  return top;
}

describe('a build whose client leaves', () => {
  test.each([
    ['while a command runs', `${BASE}RUN echo begun; sleep 1000\n`],
    ['while a command floods', `${BASE}RUN yes\n`],
    [
      'while two stages run',
      'FROM busybox AS a\nRUN sleep 1000\nFROM busybox\nRUN echo begun; sleep 1000\nCOPY --from=a /x /\n',
    ],
  ])('%s leaves nothing', async (_, Dockerfile) => {
    const directory = await context({ Dockerfile });
    const client = await startProcess({
      program: 'docker',
      args: ['build', '--no-cache', directory],
      env: { ...job.berth.clientEnv, DOCKER_BUILDKIT: '0' },
    });
    await client.waitForOutput(({ stdout }) => (stdout.includes('Running in') ? true : undefined), 60_000);
    client.kill('SIGKILL');
    await client.exited;
    await expect.poll(leftovers, { timeout: 60_000 }).toEqual([]);
    expect(await ask(job.berth, 'ps', '-aq')).toBe('');
  });

  test.each([
    ['copies a large tree', (): string => `${BASE}COPY . /all\nRUN exit 3\n`, 'Step 2/3'],
    [
      'changes the configuration',
      (): string => `${BASE}${'ENV A=b\n'.repeat(300)}RUN exit 3\n`,
      'Step 2/302',
    ],
    ['pulls its base', (host: string): string => `FROM ${host}/base\n`, 'Step 1/1'],
  ])('while it %s leaves nothing', async (_, dockerfile, words) => {
    const asked: Socket[] = [];
    const silent = createServer((socket) => asked.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const many = Object.fromEntries(
        Array.from({ length: 3000 }, (__, index) => [`d/${index}`, `${index}`]),
      );
      const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const directory = await context({ ...many, Dockerfile: dockerfile(host) });
      const client = await startProcess({
        program: 'docker',
        args: ['build', '--no-cache', directory],
        env: { ...job.berth.clientEnv, DOCKER_BUILDKIT: '0' },
      });
      await client.waitForOutput(({ stdout }) => (stdout.includes(words) ? true : undefined), 60_000);
      if (words === 'Step 1/1') await expect.poll(() => asked.length, { timeout: 10_000 }).toBeGreaterThan(0);
      client.kill('SIGKILL');
      await client.exited;
      await expect.poll(leftovers, { timeout: 60_000 }).toEqual([]);
      expect(await ask(job.berth, 'ps', '-aq')).toBe('');
    } finally {
      for (const socket of asked) socket.destroy();
      silent.close();
    }
  });
});

describe('a build whose client leaves during ADD of a URL', () => {
  test.each([
    ['before the answer', ''],
    ['in the middle of it', String.raw`printf 'Content-Type: a/b\r\n\r\nbegun';`],
  ])('%s leaves nothing', async (_, answer) => {
    const script = `#!/bin/sh\n${answer} touch /asked; sleep 1000`;
    const serve = 'mkdir -p /www/cgi-bin; echo "$SCRIPT" > /www/cgi-bin/slow; chmod 755 /www/cgi-bin/slow';
    const run = ['run', '-d', '--name', 'slow', '-e', `SCRIPT=${script}`, 'busybox', 'sh', '-c'];
    const container = await ask(job.berth, ...run, `${serve}; exec httpd -f -h /www`);
    try {
      const address = await ask(job.berth, 'inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'slow');
      const directory = await context({ Dockerfile: `${BASE}ADD http://${address}/cgi-bin/slow /file\n` });
      const client = await startProcess({
        program: 'docker',
        args: ['build', '--no-cache', directory],
        env: { ...job.berth.clientEnv, DOCKER_BUILDKIT: '0' },
      });
      const isAsked = async (): Promise<number> =>
        (await job.berth.docker(['exec', 'slow', 'test', '-e', '/asked'])).code;
      await expect.poll(isAsked, { timeout: 30_000 }).toBe(0);
      client.kill('SIGKILL');
      await client.exited;
      await expect.poll(leftovers, { timeout: 20_000 }).toEqual([container]);
    } finally {
      await ask(job.berth, 'rm', '-f', 'slow');
    }
  });
});

/** Directories of builds, and of their containers, that are still there. */
async function leftovers(): Promise<readonly string[]> {
  const { directories, ready } = job.berth;
  const state = join(directories.root, 'jobs', ready.job);
  const names = (await readdir(state)).filter((name) => name.startsWith('build-'));
  return [...names, ...(await readdir(join(state, 'containers')))];
}
