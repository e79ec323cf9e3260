import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiClient } from '../support/api-client.ts';
import { startBerth, type Berth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';
import { runCommand, baseEnvironment } from '../support/e2e-process.ts';
import { ociLayout } from '../support/image-builder-archives.ts';
import { imageManifest } from '../support/image-builder-manifests.ts';
import { buildImage } from '../support/image-builder.ts';
import { startRegistry, type Registry } from '../support/registry.ts';
import { startSecuredRegistry, type SecuredRegistry } from '../support/secured-registry.ts';

// `docker push`: to Debian's registry, as it is and behind TLS and a password.

const job = useJob();
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  await registry.stop();
});

async function push(name: string): Promise<string> {
  const lines = (await ask(job.berth, 'push', name)).split('\n');
  const [, digest = ''] = /digest: (sha256:[0-9a-f]{64}) size: \d+$/.exec(lines.at(-1) ?? '') ?? [];
  return digest;
}

async function requestsSince(count: number): Promise<readonly string[]> {
  const all = await registry.requests();
  return all
    .slice(count)
    .map(({ method, path, status }) => `${method} ${status} ${path.replace(/\?.*/, '')}`);
}

describe('a plain registry', () => {
  test('gets an image that was loaded, and it is pulled as the same one', async () => {
    const name = `${registry.host}/loaded:v1`;
    await ask(job.berth, 'tag', 'busybox', name);
    const id = await ask(job.berth, 'inspect', '-f', '{{.Id}}', name);
    const digest = await push(name);
    expect(await ask(job.berth, 'inspect', '-f', '{{index .RepoDigests 0}}', name)).toBe(
      `${registry.host}/loaded@${digest}`,
    );
    await ask(job.berth, 'rmi', name);
    await ask(job.berth, 'pull', name);
    expect(await ask(job.berth, 'inspect', '-f', '{{.Id}}', name)).toBe(id);
    await ask(job.berth, 'rmi', name);
  });

  test('gets the same bytes again, and asks for nothing that it has', async () => {
    const name = `${registry.host}/again:v1`;
    await ask(job.berth, 'tag', 'busybox', name);
    const first = await push(name);
    const before = (await registry.requests()).length;
    const { stdout } = await job.berth.docker(['push', name]);
    expect(stdout).toContain('Layer already exists');
    expect(stdout).toContain(`v1: digest: ${first} size: `);
    const requests = await requestsSince(before);
    expect(requests.filter((line) => /^(POST|PATCH) |PUT \d+ \S+\/blobs/.test(line))).toEqual([]);
    await ask(job.berth, 'rmi', name);
  });

  test('mounts layers that it has from another repository', async () => {
    const from = `${registry.host}/mount/from:v1`;
    await ask(job.berth, 'tag', 'busybox', from);
    await push(from);
    await ask(job.berth, 'rmi', from);
    await ask(job.berth, 'pull', from);
    const to = `${registry.host}/mount/to:v1`;
    await ask(job.berth, 'tag', from, to);
    const { stdout } = await job.berth.docker(['push', to]);
    expect(stdout).toContain('Mounted from mount/from');
    await ask(job.berth, 'rmi', from, to);
  });

  test('gets what a commit made, and every tag of a repository', async () => {
    const id = await ask(job.berth, 'run', '-d', 'busybox', 'sh', '-c', 'echo pushed > /file');
    await ask(job.berth, 'wait', id);
    const repository = `${registry.host}/committed`;
    await ask(job.berth, 'commit', id, `${repository}:one`);
    await ask(job.berth, 'tag', `${repository}:one`, `${repository}:two`);
    const output = await ask(job.berth, 'push', '--all-tags', repository);
    expect(output).toMatch(/one: digest: (sha256:[0-9a-f]+) [^]*two: digest: \1 /);
    await ask(job.berth, 'rm', id);
    await ask(job.berth, 'rmi', `${repository}:one`, `${repository}:two`);
    expect(await ask(job.berth, 'run', '--rm', `${repository}:two`, 'cat', '/file')).toBe('pushed');
    await ask(job.berth, 'rmi', `${repository}:two`);
  });

  test.each(['gzip', 'zstd', 'none'] as const)(
    'keeps the digest of an OCI image with %s layers that skopeo then reads',
    async (compression) => {
      const image = await buildImage({ compression });
      const name = `${registry.host}/oci-${compression}:v1`;
      await job.berth.docker(['load'], { input: await ociLayout([{ image, tags: [name] }]) });
      const digest = await push(name);
      const home = await mkdtemp('/tmp/berth-skopeo-');
      try {
        const copied = await runCommand({
          program: 'skopeo',
          args: ['copy', '--src-tls-verify=false', `docker://${name}`, `oci:${join(home, 'layout')}:v1`],
          env: baseEnvironment(home),
        });
        expect(copied).toMatchObject({ code: 0 });
        const unpacked = await runCommand({
          program: 'umoci',
          args: ['unpack', '--image', `${join(home, 'layout')}:v1`, join(home, 'bundle')],
          env: baseEnvironment(home),
        });
        // Debian's umoci is older than zstd layers.
        if (compression === 'zstd') expect(unpacked.stderr).toContain('zstd');
        else expect(unpacked).toMatchObject({ code: 0 });
      } finally {
        await rm(home, { recursive: true });
      }
      const own = imageManifest(image, 'oci').digest;
      if (compression === 'none') expect(digest).not.toBe(own);
      else expect(digest).toBe(own);
      await ask(job.berth, 'rmi', name);
    },
  );

  test.each([
    ['nowhere/here:v1', 'An image does not exist locally with the tag:'],
    ['again2:other', 'tag does not exist:'],
  ])('says what is wrong with %s, and the client fails', async (name, words) => {
    await ask(job.berth, 'tag', 'busybox', `${registry.host}/again2:v1`);
    const { code, stderr } = await job.berth.docker(['push', `${registry.host}/${name}`]);
    expect(code).toBe(1);
    expect(stderr).toContain(words);
    await ask(job.berth, 'rmi', `${registry.host}/again2:v1`);
  });
});

test('every tag of a repository is pulled, and what the registry has is told without pulling', async () => {
  const repository = `${registry.host}/several`;
  await ask(job.berth, 'tag', 'busybox', `${repository}:one`);
  await ask(job.berth, 'tag', 'busybox', `${repository}:two`);
  await ask(job.berth, 'push', '-a', repository);
  await ask(job.berth, 'rmi', `${repository}:one`, `${repository}:two`);
  await ask(job.berth, 'pull', '-a', repository);
  expect((await ask(job.berth, 'images', '--format', '{{.Tag}}', repository)).split('\n').sort()).toEqual([
    'one',
    'two',
  ]);
  const digest = await ask(job.berth, 'inspect', '-f', '{{index .RepoDigests 0}}', `${repository}:one`);
  const api = createApiClient(job.berth.ready.socket);
  const { status, body } = await api.get(`/distribution/${repository}:one/json`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    Descriptor: { digest: digest.split('@')[1] },
    Platforms: [{ os: 'linux' }],
  });
  await ask(job.berth, 'rmi', `${repository}:one`, `${repository}:two`);
});

test('a registry that is not there fails the client', async () => {
  await ask(job.berth, 'tag', 'busybox', '127.0.0.1:1/gone:v1');
  const { code, stderr } = await job.berth.docker(['push', '127.0.0.1:1/gone:v1']);
  expect(code).toBe(1);
  expect(stderr).toContain('connection refused');
  await ask(job.berth, 'rmi', '127.0.0.1:1/gone:v1');
});

describe('a registry behind TLS and a password', () => {
  let secured: SecuredRegistry;
  let berth: Berth;

  beforeAll(async () => {
    secured = await startSecuredRegistry();
    berth = await startBerth({ args: ['--registries', secured.registriesDir] });
    await loadBusybox(berth);
    await ask(berth, 'tag', 'busybox', `${secured.host}/private:v1`);
  });
  afterAll(async () => {
    const end = await berth.stop();
    await secured.stop();
    expect(end).toMatchObject({ code: 0 });
  });

  test('refuses who is not known, in words that say so', async () => {
    const { code, stderr } = await berth.docker(['push', `${secured.host}/private:v1`]);
    expect(code).toBe(1);
    expect(stderr).toContain('no basic auth credentials');
  });

  test('takes an image of who is, and gives it back', async () => {
    const { host, username, password } = secured;
    const config = join(berth.directories.home, 'docker-config');
    const env = { DOCKER_CONFIG: config };
    const wrong = await berth.docker(['login', '-u', username, '-p', 'wrong', host], { env });
    expect(wrong.code).toBe(1);
    const login = await berth.docker(['login', '-u', username, '-p', password, host], { env });
    expect(login.stdout).toContain('Login Succeeded');
    expect(await berth.docker(['push', `${host}/private:v1`], { env })).toMatchObject({ code: 0 });
    await ask(berth, 'rmi', `${host}/private:v1`);
    expect(await berth.docker(['pull', `${host}/private:v1`], { env })).toMatchObject({ code: 0 });
    expect(berth.logs()).not.toContain(password);
  });

  test('a login is its client directory’s alone: no other client has it, and berth keeps nothing of it', async () => {
    const { host, username, password } = secured;
    const at = (name: string): string => join(berth.directories.home, name);
    const as = (name: string, ...args: readonly string[]): ReturnType<Berth['docker']> =>
      berth.docker(args, { env: { DOCKER_CONFIG: at(name) } });
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    const before = await filesWith(auth, at(''));
    expect(await as('of-login', 'login', '-u', username, '-p', password, host)).toMatchObject({ code: 0 });
    const config = JSON.parse(await readFile(join(at('of-login'), 'config.json'), 'utf8')) as object;
    expect(config).toEqual({ auths: { [host]: { auth } } });
    expect(await as('of-login', 'push', `${host}/private:v1`)).toMatchObject({ code: 0 });
    const other = await as('of-another', 'pull', `${host}/private:v1`);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('no basic auth credentials');
    const after = await filesWith(auth, at(''));
    expect([...after].sort()).toEqual([...before, join(at('of-login'), 'config.json')].sort());
    for (const secret of [`${username}:${password}`, auth])
      for (const directory of [berth.directories.root, berth.directories.runDir])
        expect(await filesWith(secret, directory)).toEqual([]);
    expect(await as('of-login', 'logout', host)).toMatchObject({ code: 0 });
    expect(await as('of-login', 'pull', `${host}/private:v1`)).toMatchObject({ code: 1 });
  });
});

/** Files below a directory that have the text. */
async function filesWith(text: string, directory: string): Promise<readonly string[]> {
  const args = [directory, '-type', 'f', '-exec', 'grep', '-l', '-F', '-e', text, '{}', '+'];
  const { code, stdout, stderr } = await runCommand({ program: 'find', args, env: baseEnvironment('/tmp') });
  if (code > 1) throw new Error(stderr);
  return stdout.split('\n').filter(Boolean);
}
