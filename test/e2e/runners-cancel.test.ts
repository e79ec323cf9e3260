import Dockerode from 'dockerode';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { ask } from '../support/e2e-job.ts';
import { startProcess } from '../support/e2e-process.ts';
import { usePopularJob } from '../support/popular-job.ts';

// What CI runners do besides the ordinary: actions that they build, helper images that they bring, jobs that are cancelled.

const job = usePopularJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);

test("GitHub's runner: a docker action that it builds first, red and green", async () => {
  const { berth, workspace } = job;
  const action = join(workspace, 'action');
  await mkdir(action, { recursive: true });
  const entrypoint = '#!/bin/sh\necho "$INPUT_GREETING in $PWD as $GITHUB_ACTIONS"\nexit $1\n';
  await writeFile(join(action, 'entrypoint.sh'), entrypoint, { mode: 0o755 });
  await writeFile(
    join(action, 'Dockerfile'),
    'FROM debian\nCOPY entrypoint.sh /entrypoint.sh\nENTRYPOINT ["/entrypoint.sh"]\n',
  );
  const tag = '8a5eda:0123456789abcdef';
  await docker('build', '-t', tag, '-f', join(action, 'Dockerfile'), action);
  const asked = ['--label', '8a5eda', '--workdir', '/github/workspace', '--rm', '-e', 'INPUT_GREETING'];
  const mounts = ['-v', '/var/run/docker.sock:/var/run/docker.sock', '-v', `${workspace}:/github/workspace`];
  for (const code of [0, 3]) {
    const ran = await berth.docker(
      ['run', ...asked, '-e', 'GITHUB_ACTIONS=true', ...mounts, tag, String(code)],
      { env: { INPUT_GREETING: 'hello' } },
    );
    expect([ran.code, ran.stdout]).toEqual([code, 'hello in /github/workspace as true\n']);
  }
  await docker('rmi', tag);
});

test("GitHub's runner: a step that is cancelled, and the clean-up by label behind it", async () => {
  const { berth } = job;
  const label = '9b6fec';
  await docker('pull', 'node:20');
  for (const name of ['kept', 'github_network_1'])
    await docker('network', 'create', ...(name === 'kept' ? [] : ['--label', label]), name);
  const where = ['--label', label, '--network', 'github_network_1', '--entrypoint', 'tail'];
  const container = await docker('create', '--name', 'gh_cancelled', ...where, 'node:20', '-f', '/dev/null');
  await docker('start', container);
  const step = await startProcess({
    program: 'docker',
    args: [
      'exec',
      '-i',
      '-u',
      'node',
      '-w',
      '/tmp',
      '-e',
      'CI=true',
      container,
      'sh',
      '-c',
      'echo $CI; sleep 1000',
    ],
    env: berth.clientEnv,
  });
  await step.waitForOutput(({ stdout }) => (stdout.includes('true') ? true : undefined), 30_000);
  step.kill('SIGKILL');
  await step.exited;
  // The next runner on the machine finds what this one has left.
  expect(await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${label}`)).toBe(container);
  await docker('rm', '--force', container);
  await docker('network', 'prune', '--force', '--filter', `label=${label}`);
  expect(await docker('network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}')).toBe('kept');
  await docker('network', 'rm', 'kept');
});

test("GitLab's docker executor: a helper image by import, a check of the service, and a job that is cancelled", async () => {
  const client = new Dockerode({ socketPath: job.berth.ready.socket });
  for (const image of ['alpine:latest', 'redis:7']) await docker('pull', image);
  const source = await client.createContainer({ Image: 'alpine:latest' });
  const helper = 'gitlab.example/runner-helper';
  await text(await client.importImage(await source.export(), { repo: helper, tag: 'x86_64' }));
  await source.remove();
  await client.getImage(`${helper}:x86_64`).tag({ repo: 'gitlab-runner-helper', tag: '1' });
  const service = await client.createContainer({ name: 'runner-2-redis-0', Image: 'redis:7' });
  await service.start();
  const check = await client.createContainer({
    Image: 'gitlab-runner-helper:1',
    Cmd: ['sh', '-c', 'until nc -w 1 $SERVICE_PORT_6379_TCP_ADDR 6379 < /dev/null; do sleep 0.1; done'],
    HostConfig: { Links: ['runner-2-redis-0:service'] },
  });
  await check.start();
  expect(await check.wait()).toMatchObject({ StatusCode: 0 });
  const build = await client.createContainer({
    name: 'runner-2-build',
    Image: 'alpine:latest',
    Cmd: ['sh'],
    AttachStdin: true,
    AttachStdout: true,
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: { Links: ['runner-2-redis-0:redis'] },
  });
  const stream = await build.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  const output = new PassThrough();
  client.modem.demuxStream(stream, output, output);
  stream.once('end', () => output.end());
  await build.start();
  const ended = build.wait({ condition: 'not-running' }) as Promise<{ StatusCode: number }>;
  stream.end('echo begun\nsleep 1000\necho never\n');
  await expect.poll(async () => (await build.logs({ stdout: true })).toString()).toContain('begun');
  await build.kill({ signal: 'SIGTERM' });
  await build.kill();
  expect((await ended).StatusCode).toBe(137);
  expect(await text(output)).toBe('begun\n');
  for (const container of [build, check, service]) await container.remove({ force: true, v: true });
  await docker('rmi', 'gitlab-runner-helper:1', `${helper}:x86_64`);
});
