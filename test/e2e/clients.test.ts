import Dockerode from 'dockerode';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../support/e2e-process.ts';
import { useJob } from '../support/e2e-job.ts';

// Clients besides the CLI, each with its own way to speak HTTP.

const job = useJob();

const PYTHON = `
import docker, io, tarfile
client = docker.from_env()
assert client.ping()
out = client.containers.run('busybox', ['sh', '-c', 'echo out; echo err >&2'], stderr=True, remove=True)
assert sorted(out.splitlines()) == [b'err', b'out'], out
try:
    client.containers.run('busybox', 'false', remove=True)
    raise SystemExit('a failure was hidden')
except docker.errors.ContainerError as error:
    assert error.exit_status == 1
container = client.containers.run('busybox', ['cat'], detach=True, stdin_open=True, name='py')
code, output = container.exec_run(['sh', '-c', 'echo $A; exit 4'], environment={'A': 'b'}, user='1000')
assert (code, output) == (4, b'b\\n'), (code, output)
code, (o, e) = container.exec_run(['sh', '-c', 'echo o; echo e >&2'], demux=True)
assert (o, e) == (b'o\\n', b'e\\n')
data = io.BytesIO()
with tarfile.open(fileobj=data, mode='w') as tar:
    info = tarfile.TarInfo('put'); info.size = 4
    tar.addfile(info, io.BytesIO(b'here'))
assert container.put_archive('/tmp', data.getvalue())
bits, stat = container.get_archive('/tmp/put')
assert stat['size'] == 4 and b'here' in b''.join(bits)
socket = client.api.attach_socket(container.id, {'stdin': 1, 'stdout': 1, 'stream': 1})
socket._sock.sendall(b'typed\\n')
assert b'typed' in socket.read(8 + 6)
socket.close()
container.stop(timeout=0)
container.reload()
assert container.status == 'exited'
assert b'typed' in container.logs()
container.remove()
try:
    client.containers.get('py')
    raise SystemExit('the container is still there')
except docker.errors.NotFound:
    pass
print('all well')
`;

test('python3-docker', async () => {
  const { code, stdout, stderr } = await runCommand({
    program: '/usr/bin/python3',
    args: ['-c', PYTHON],
    env: job.berth.clientEnv,
  });
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'all well\n' });
});

describe('dockerode', () => {
  const connect = (): Dockerode => new Dockerode({ socketPath: job.berth.ready.socket });

  test('run, attached', async () => {
    const stdout = new PassThrough();
    const chunks: Buffer[] = [];
    stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [result] = (await connect().run('busybox', ['sh', '-c', 'echo hello; exit 3'], stdout)) as [
      { StatusCode: number },
    ];
    expect(result.StatusCode).toBe(3);
    expect(Buffer.concat(chunks).toString()).toContain('hello');
  });

  test.each([{ hijack: true }, { hijack: false }])('exec with %j', async ({ hijack }) => {
    const container = await connect().createContainer({ Image: 'busybox', Cmd: ['sleep', '1000'] });
    await container.start();
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'echo from exec'],
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).subarray(8).toString()).toBe('from exec\n');
    expect((await exec.inspect()).ExitCode).toBe(0);
    await container.remove({ force: true });
  });

  test('stdin through an exec, half-closed', async () => {
    const container = await connect().createContainer({ Image: 'busybox', Cmd: ['sleep', '1000'] });
    await container.start();
    const exec = await container.exec({
      Cmd: ['cat'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    stream.end('through and through');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).subarray(8).toString()).toBe('through and through');
    await container.remove({ force: true });
  });

  test('events arrive while they happen', async () => {
    const docker = connect();
    const events = await docker.getEvents({ filters: { type: ['container'] } });
    const seen: string[] = [];
    events.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split('\n'))
        seen.push((JSON.parse(line) as { Action: string }).Action);
    });
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['true'] });
    const wait = container.wait({ condition: 'next-exit' });
    await container.start();
    await wait;
    await container.remove();
    await expect.poll(() => seen).toEqual(['create', 'start', 'die', 'destroy']);
    (events as unknown as { destroy(): void }).destroy();
  });
});
