import Dockerode from 'dockerode';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { packTar } from '../support/image-builder.ts';
import { usePopularJob } from '../support/popular-job.ts';

// What CI runners and compose ask of the API itself, call by call and in their order.

const job = usePopularJob();
const connect = (): Dockerode => new Dockerode({ socketPath: job.berth.ready.socket });

async function pull(client: Dockerode, name: string): Promise<void> {
  const progress: NodeJS.ReadableStream = await client.pull(name);
  await text(progress);
}

test("GitLab's docker executor: services, a script through attach, and its exit code", async () => {
  const client = connect();
  await client.version();
  await client.info();
  for (const image of ['alpine:latest', 'redis:7']) await pull(client, image);
  await client.createVolume({
    Name: 'runner-1-cache',
    Labels: { 'com.gitlab.gitlab-runner.managed': 'true' },
  });
  const network = await client.createNetwork({ Name: 'runner-1-build', CheckDuplicate: true });
  const service = await client.createContainer({
    Image: 'redis:7',
    Labels: { 'com.gitlab.gitlab-runner.type': 'service' },
    HostConfig: { NetworkMode: network.id, RestartPolicy: { Name: 'no' } },
    NetworkingConfig: { EndpointsConfig: { [network.id]: { Aliases: ['redis', 'redis-7'] } } },
  });
  await service.start();
  const build = await client.createContainer({
    Image: 'alpine:latest',
    Cmd: ['sh'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    StdinOnce: true,
    Env: ['CI=true'],
    HostConfig: { NetworkMode: network.id, Binds: ['runner-1-cache:/cache'] },
    NetworkingConfig: { EndpointsConfig: { [network.id]: { Aliases: ['build'] } } },
  });
  const stream = await build.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  client.modem.demuxStream(stream, stdout, stderr);
  stream.once('end', () => {
    stdout.end();
    stderr.end();
  });
  await build.start();
  const ended = build.wait({ condition: 'not-running' }) as Promise<{ StatusCode: number }>;
  stream.write('set -e\necho $CI; echo warning >&2\nprintf "PING\\r\\n" | nc redis 6379\n');
  stream.end('echo kept > /cache/file\nexit 42\n');
  expect(await Promise.all([text(stdout), text(stderr)])).toEqual(['true\n+PONG\r\n', 'warning\n']);
  expect((await ended).StatusCode).toBe(42);
  await service.kill({ signal: 'SIGTERM' });
  await network.disconnect({ Container: service.id, Force: true });
  for (const container of [build, service]) await container.remove({ force: true, v: true });
  await network.remove();
  await client.getVolume('runner-1-cache').remove();
});

test('act and Forgejo: an archive and an exec for each step', async () => {
  const client = connect();
  await pull(client, 'node:20');
  const container = await client.createContainer({
    Image: 'node:20',
    Entrypoint: ['tail', '-f', '/dev/null'],
    WorkingDir: '/workspace',
    HostConfig: { Binds: ['act-toolcache:/opt/hostedtoolcache'], AutoRemove: false },
  });
  await container.start();
  for (const [index, code] of [0, 3].entries()) {
    const path = `var/run/act/workflow/${index}.sh`;
    const tar = await packTar([
      { path, type: 'file', mode: 0o755, content: `echo step ${index}; exit ${code}` },
    ]);
    await container.putArchive(tar, { path: '/', noOverwriteDirNonDir: '1' });
    const exec = await container.exec({
      Cmd: ['bash', '--noprofile', '--norc', '-e', `/${path}`],
      WorkingDir: '/workspace',
      AttachStdout: true,
      AttachStderr: true,
    });
    const output = new PassThrough();
    const stream = await exec.start({ hijack: true, Tty: false });
    client.modem.demuxStream(stream, output, output);
    stream.once('end', () => output.end());
    expect(await text(output)).toBe(`step ${index}\n`);
    expect(await exec.inspect()).toMatchObject({ ExitCode: code, Running: false });
  }
  const archive = await container.getArchive({ path: '/var/run/act/workflow/0.sh' });
  expect(await text(archive)).toContain('echo step 0');
  await container.remove({ force: true });
  await client.getVolume('act-toolcache').remove();
});

test('compose 2: the calls of an up, an exec and a down', async () => {
  const client = connect();
  await pull(client, 'redis:7');
  const labels = { 'com.docker.compose.project': 'two' };
  const filters = { label: ['com.docker.compose.project=two'] };
  await client.info();
  await client.getImage('redis:7').inspect();
  expect(await client.listNetworks({ filters })).toEqual([]);
  await expect(client.getNetwork('two_default').inspect()).rejects.toMatchObject({ statusCode: 404 });
  const network = await client.createNetwork({
    Name: 'two_default',
    Labels: { ...labels, 'com.docker.compose.network': 'default' },
  });
  await expect(client.getVolume('two_data').inspect()).rejects.toMatchObject({ statusCode: 404 });
  await client.createVolume({ Name: 'two_data', Labels: labels });
  expect((await client.listVolumes({ filters })).Volumes.map(({ Name: name }) => name)).toEqual(['two_data']);
  expect(await client.listContainers({ all: true, filters })).toEqual([]);
  const events = await client.getEvents({ filters: { ...filters, type: ['container'] } });
  const seen: string[] = [];
  events.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n'))
      seen.push((JSON.parse(line) as { Action: string }).Action);
  });
  const container = await client.createContainer({
    name: 'two-cache-1',
    Image: 'redis:7',
    Labels: { ...labels, 'com.docker.compose.service': 'cache', 'com.docker.compose.oneoff': 'False' },
    HostConfig: {
      NetworkMode: 'two_default',
      Mounts: [{ Type: 'volume', Source: 'two_data', Target: '/data', VolumeOptions: {} as never }],
    },
    NetworkingConfig: { EndpointsConfig: { two_default: { Aliases: ['two-cache-1', 'cache'] } } },
  });
  await container.start();
  const [shown] = await client.listContainers({ filters: { ...filters, status: ['running'] } });
  expect(shown?.Names).toEqual(['/two-cache-1']);
  const exec = await container.exec({ Cmd: ['redis-cli', '-h', 'cache', 'ping'], AttachStdout: true });
  const answered = async (): Promise<string> => {
    const again = await container.exec({ Cmd: ['redis-cli', '-h', 'cache', 'ping'], AttachStdout: true });
    return text(await again.start({}));
  };
  await exec.start({ Detach: true });
  await expect.poll(answered).toContain('PONG');
  const logs = await container.logs({ follow: false, stdout: true, stderr: true, tail: 5 });
  expect(logs.toString()).toContain('Ready to accept connections');
  await container.stop({ t: 5 });
  await container.remove({ v: true });
  await network.remove();
  await client.getVolume('two_data').remove();
  await expect
    .poll(() => seen.filter((action) => !action.startsWith('exec_')))
    .toEqual(['create', 'start', 'kill', 'die', 'stop', 'destroy']);
  events.removeAllListeners();
  (events as unknown as { destroy(): void }).destroy();
});
