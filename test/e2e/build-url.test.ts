import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import type { CommandResult } from '../support/e2e-process.ts';

const CONTENT = 'from the web\n';
const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;

const WANTED = `file 600 0:0 1600000000\n${CONTENT.trim()}`;

const job = useJob();
let context: string;
let web: string;

beforeAll(async () => {
  context = await mkdtemp('/tmp/build-url-');
  const serve = [
    `mkdir -p /www/cgi-bin && printf 'from the web\\n' > /www/file && touch -d @1600000000 /www/file`,
    `printf '#!/bin/sh\\nprintf "Status: 302\\\\r\\\\nLocation: $QUERY_STRING\\\\r\\\\n\\\\r\\\\n"' > /www/cgi-bin/to`,
    `printf '#!/bin/sh\\nprintf "Status: 302\\\\r\\\\nLocation: again\\\\r\\\\n\\\\r\\\\n"' > /www/cgi-bin/again`,
    `chmod 755 /www/cgi-bin/* && tar -C /www -cf /www/archive.tar file && exec httpd -f -h /www`,
  ];
  await ask(job.berth, 'run', '-d', '--name', 'web', 'busybox', 'sh', '-c', serve.join(' && '));
  const address = await ask(job.berth, 'inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'web');
  web = `http://${address}`;
});
afterAll(async () => {
  await ask(job.berth, 'rm', '-f', 'web');
  await rm(context, { recursive: true, force: true });
});

async function build(...lines: readonly string[]): Promise<CommandResult> {
  return buildWith([], ...lines);
}

async function buildWith(args: readonly string[], ...lines: readonly string[]): Promise<CommandResult> {
  await writeFile(join(context, 'Dockerfile'), ['FROM busybox', ...lines, ''].join('\n'));
  return job.berth.docker(['build', '-t', 'url', ...args, context], { env: { DOCKER_BUILDKIT: '0' } });
}

async function filesOf(...lines: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await build(...lines);
  expect(code, stdout + stderr).toBe(0);
  const show = 'cd /got && stat -c "%n %a %u:%g %Y" * && cat *';
  return ask(job.berth, 'run', '--rm', 'url', 'sh', '-c', show);
}

describe('ADD of a URL', () => {
  test('is a file of mode 600, called as in the path and dated by the server', async () => {
    expect(await filesOf(`ADD ${web}/file /got/`)).toBe(WANTED);
    expect(await filesOf(`ADD --checksum=${DIGEST} ${web}/file /got/file`)).toBe(WANTED);
    expect(await filesOf(`ADD --chown=5:6 --chmod=644 ${web}/file /got/`)).toContain('file 644 5:6');
  });

  test('is fetched over IPv6', async () => {
    await ask(job.berth, 'network', 'create', '--ipv6', '--subnet', 'fd37:1::/64', 'six');
    try {
      await ask(job.berth, 'network', 'connect', '--ip6', 'fd37:1::9', 'six', 'web');
      expect(await filesOf('ADD http://[fd37:1::9]/file /got/')).toBe(WANTED);
    } finally {
      await ask(job.berth, 'network', 'disconnect', 'six', 'web');
      await ask(job.berth, 'network', 'rm', 'six');
    }
  });

  test('asks none of the proxies that RUN is told of, as with dockerd', async () => {
    const args = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'].flatMap((name) => [
      '--build-arg',
      `${name}=http://${new URL(web).host}:9`,
    ]);
    const lines = [`ADD ${web}/file /got/`, 'RUN test "$http_proxy" && echo "by $HTTP_PROXY"'];
    const { code, stdout, stderr } = await buildWith(args, ...lines);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('by http://');
  });

  test('is not unpacked', async () => {
    expect(await filesOf(`ADD ${web}/archive.tar /got/`)).toMatch(/^archive\.tar 600 0:0/);
  });

  test('is fetched each time, and cached by what it is', async () => {
    const lines = [`ADD ${web}/changing /got/`];
    await ask(job.berth, 'exec', 'web', 'sh', '-c', 'echo 1 > /www/changing');
    expect((await build(...lines)).stdout).not.toContain('Using cache');
    expect((await build(...lines)).stdout).toContain('Using cache');
    await ask(job.berth, 'exec', 'web', 'sh', '-c', 'echo 2 > /www/changing');
    expect((await build(...lines)).stdout).not.toContain('Using cache');
  });

  test.each([
    ['a wrong checksum', () => `ADD --checksum=sha256:${'0'.repeat(64)} ${web}/file /f`, 'digest mismatch'],
    ['an answer that says no', () => `ADD ${web}/absent /f`, 'with status 404'],
    ['a directory without a name', () => `ADD ${web}/ /f/`, 'with status 404'],
    ['a metadata service', () => 'ADD http://169.254.169.254/latest/ /f', "job's egress rules"],
    ['the machine itself', () => 'ADD http://127.0.0.1/ /f', "job's egress rules"],
    ['a name of the machine', () => 'ADD http://localhost:1/ /f', "job's egress rules"],
    ['the machine itself over IPv6', () => 'ADD http://[::1]/ /f', "job's egress rules"],
    ['the machine itself in disguise', () => 'ADD http://[::ffff:127.0.0.1]/ /f', "job's egress rules"],
    ['another protocol', () => `ADD ${web}/cgi-bin/to?file:///etc/passwd /f`, 'not a URL of http or https'],
    [
      'a redirect to a metadata service',
      () => `ADD ${web}/cgi-bin/to?http://169.254.169.254/ /f`,
      "job's egress rules",
    ],
    [
      'a redirect to the machine itself over IPv6',
      () => `ADD ${web}/cgi-bin/to?http://[::1]/ /f`,
      "job's egress rules",
    ],
    ['a ring of redirects', () => `ADD ${web}/cgi-bin/to?/cgi-bin/again /f`, 'stopped after 10 redirects'],
  ])('%s fails the build', async (_, line, words) => {
    const { code, stderr } = await build(line());
    expect(code).not.toBe(0);
    expect(stderr).toContain(words);
  });
});
