import { describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

// `docker commit`: what a container has changed becomes a layer on top of its image.

const job = useJob();

interface Inspected {
  readonly Id: string;
  readonly Parent: string;
  readonly Author: string;
  readonly Comment: string;
  readonly Config: Readonly<Record<string, unknown>>;
  readonly RootFS: { readonly Layers: readonly string[] };
}

async function inspect(image: string): Promise<Inspected> {
  const [one] = JSON.parse(await ask(job.berth, 'image', 'inspect', image)) as [Inspected];
  return one;
}

async function stopped(script: string, ...options: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await job.berth.docker([
    'run',
    '-d',
    ...options,
    'busybox',
    'sh',
    '-c',
    script,
  ]);
  if (code !== 0) throw new Error(stderr);
  const id = stdout.trim();
  await ask(job.berth, 'wait', id);
  return id;
}

const show = (image: string, script: string): Promise<string> =>
  ask(job.berth, 'run', '--rm', image, 'sh', '-c', script);

describe('an image of a stopped container', () => {
  test('has what was added, changed and removed, and nothing of what was mounted', async () => {
    const script = [
      'echo new > /added',
      'rm -r /var/spool/mail /etc/group',
      'mkdir -p /deep/er; ln -s ../added /deep/link',
      'chown 12:34 /deep; chmod 2750 /deep',
      'rm -r /home; mkdir /home; echo x > /home/only',
      'echo volume > /data/hidden',
    ].join('\n');
    const id = await stopped(`mkdir -p /var/spool/mail /home/gone; ${script}`, '-v', '/data');
    const image = await ask(job.berth, 'commit', '-a', 'An Author', '-m', 'a message', id, 'made:v1');
    expect(image).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(
      await show(
        'made:v1',
        'cat /added; ls -d /etc/group 2>&1 | wc -l; stat -c "%a %u:%g" /deep; readlink /deep/link; ls /home; ls /data',
      ),
    ).toBe(['new', '1', '2750 12:34', '../added', 'only'].join('\n'));
    expect((await job.berth.docker(['run', '--rm', 'made:v1', 'test', '-e', '/etc/group'])).code).toBe(1);
    const [base, made] = [await inspect('busybox'), await inspect('made:v1')];
    expect(made).toMatchObject({ Id: image, Parent: base.Id, Author: 'An Author', Comment: 'a message' });
    expect(made.RootFS.Layers.slice(0, -1)).toEqual(base.RootFS.Layers);
    expect(await ask(job.berth, 'history', '--format', '{{.Comment}}', 'made:v1')).toMatch(/^a message/);
    await ask(job.berth, 'rm', '-v', id);
    await ask(job.berth, 'rmi', 'made:v1');
  });

  test('of nothing new has the same layers, and its step is shown with no size', async () => {
    const id = await stopped('true', '--tmpfs', '/scratch', '-v', '/data');
    const image = await ask(job.berth, 'commit', id);
    expect((await inspect(image)).RootFS.Layers).toEqual((await inspect('busybox')).RootFS.Layers);
    expect(await ask(job.berth, 'history', '--format', '{{.Size}}', image)).toMatch(/^0B\n/);
    await ask(job.berth, 'rm', '-v', id);
    await ask(job.berth, 'rmi', image);
  });

  test('keeps how the container is run, and survives the container', async () => {
    const id = await ask(
      job.berth,
      'create',
      ...['-e', 'MADE=here', '-w', '/tmp', '-u', '5:6', '-l', 'a=b', '--entrypoint', '/bin/sh'],
      ...['busybox', '-c', 'echo $MADE $PWD; id -u'],
    );
    await ask(job.berth, 'commit', id, 'runs:v1');
    await ask(job.berth, 'rm', id);
    expect(await ask(job.berth, 'run', '--rm', 'runs:v1')).toBe('here /tmp\n5');
    expect((await inspect('runs:v1')).Config).toMatchObject({ Labels: { a: 'b' }, User: '5:6' });
    await ask(job.berth, 'rmi', 'runs:v1');
  });
});

test('a running container is paused while it is read, and runs on', async () => {
  const id = await ask(job.berth, 'run', '-d', 'busybox', 'sh', '-c', 'echo x > /file; exec sleep 1000');
  await ask(job.berth, 'exec', id, 'sh', '-c', 'until [ -e /file ]; do :; done');
  await ask(job.berth, 'commit', id, 'running:v1');
  await ask(job.berth, 'commit', '--pause=false', id, 'running:v2');
  expect(await ask(job.berth, 'inspect', '-f', '{{.State.Status}}', id)).toBe('running');
  expect(await show('running:v1', 'cat /file')).toBe('x');
  expect(await show('running:v2', 'cat /file')).toBe('x');
  const until = String(Date.now() / 1000);
  const events = await ask(
    job.berth,
    ...['events', '--since', '0', '--until', until, '--filter', `container=${id}`, '--format', '{{.Action}}'],
  );
  expect(events.split('\n').filter((action) => /pause|commit/.test(action))).toEqual([
    'pause',
    'unpause',
    'commit',
    'commit',
  ]);
  await ask(job.berth, 'rm', '-f', id);
  await ask(job.berth, 'rmi', 'running:v1', 'running:v2');
});

test('changes of the configuration are those of a Dockerfile, and what is none is refused', async () => {
  const id = await ask(job.berth, 'create', 'busybox', 'true');
  const changes = ['ENTRYPOINT ["echo", "from"]', 'CMD ["changes"]', 'ENV A=b', 'EXPOSE 80', 'WORKDIR /work'];
  await ask(job.berth, 'commit', ...changes.flatMap((one) => ['-c', one]), id, 'changed:v1');
  expect(await ask(job.berth, 'run', '--rm', 'changed:v1')).toBe('from changes');
  expect((await inspect('changed:v1')).Config).toMatchObject({
    ExposedPorts: { '80/tcp': {} },
    WorkingDir: '/work',
  });
  const { code, stderr } = await job.berth.docker(['commit', '-c', 'RUN true', id]);
  expect(code).toBe(1);
  expect(stderr).toContain('run is not a valid change command');
  await ask(job.berth, 'rm', id);
  await ask(job.berth, 'rmi', 'changed:v1');
});

test('a layer on a layer runs, and a container that is not there is named', async () => {
  const first = await stopped('echo 1 > /one; rm /bin/false');
  await ask(job.berth, 'commit', first, 'chain:1');
  const second = await ask(job.berth, 'run', '-d', 'chain:1', 'sh', '-c', 'echo 2 > /two; rm /one');
  await ask(job.berth, 'wait', second);
  await ask(job.berth, 'commit', second, 'chain:2');
  expect(await show('chain:2', 'cat /two; ls -d /one /bin/false 2>&1 | wc -l')).toBe('2\n2');
  await ask(job.berth, 'rm', first, second);
  const { code, stderr } = await job.berth.docker(['commit', 'nobody', 'x:1']);
  expect(code).toBe(1);
  expect(stderr).toContain('No such container: nobody');
});
