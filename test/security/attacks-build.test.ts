import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { packTar, type LayerEntry } from '../support/image-builder.ts';

// Attacks through builds, through the whole daemon. What is refused runs nothing, asks no registry and leaves nothing.

let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

const dockerfile = (content: string): LayerEntry => ({
  path: 'Dockerfile',
  type: 'file',
  content,
  mode: 0o644,
});
const PLAIN = [dockerfile('FROM app\nENV A=1\n')];

interface BuildAnswer {
  readonly status: number;
  readonly text: string;
}

async function build(
  query: string,
  entries: readonly LayerEntry[] = PLAIN,
  headers: Readonly<Record<string, string>> = {},
): Promise<BuildAnswer> {
  const tar = await packTar(entries);
  const connection = await fake.api.open('POST', `/build?${query}`, {
    headers: { 'Content-Type': 'application/x-tar', 'Content-Length': String(tar.length), ...headers },
  });
  connection.send(tar);
  const { status, body } = await connection.readResponse();
  connection.close();
  return { status, text: body.toString() };
}

async function expectNothingLeft(images: number): Promise<void> {
  expect(fake.job.containers.all()).toEqual([]);
  expect(fake.job.images.list()).toHaveLength(images);
  const { stateDir } = fake.job.paths;
  expect((await readdir(stateDir)).filter((name) => name.startsWith('build-'))).toEqual([]);
}

const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

describe('refused by its query', () => {
  it.each<[string, string, readonly number[]]>([
    ['a metadata service as context', 'remote=http://169.254.169.254/latest/meta-data', [403]],
    ['a file as context', 'remote=file:///etc', [403]],
    ['a repository with a path that climbs', 'remote=git://example.com/x.git%23:../..', [403]],
    ['an ssh repository', 'remote=ssh://git@example.com/x', [403]],
    ['an option of git', 'remote=https://example.com/x.git%23--upload-pack=id', [403]],
    ['the network of a container of nobody', 'networkmode=container:other', [400, 403, 404]],
    ['the runner by name', 'networkmode=container:berth', [400, 403, 404]],
    [
      'a directory of the machine as output',
      `outputs=${json([{ Type: 'local', Attrs: { dest: '/etc' } }])}`,
      [403],
    ],
    ['a tar on the machine as output', `outputs=${json([{ Type: 'tar', Attrs: { dest: '/x' } }])}`, [403]],
    ['a name that climbs', 't=../../x', [400]],
    ['a name like an option', 't=-x', [400]],
    ['an upper-case name', 't=Evil/X', [400]],
    ['a name by digest', `t=x@sha256:${'0'.repeat(64)}`, [400]],
    ['very many names', Array.from({ length: 300 }, (_, index) => `t=a${index}`).join('&'), [400]],
    ['an insecure step', 'entitlements=security.insecure', [403]],
    ['no seccomp', 'securityopt=seccomp%3Dunconfined', [403]],
    ['no AppArmor', 'securityopt=apparmor:unconfined', [403]],
    ['a negative limit', 'memory=-5', [400]],
    ['a limit that is no number', 'memory=much', [400]],
    ['limits that are no list', 'ulimits=%7B%7D', [400]],
    ['a host with a line end', `extrahosts=${encodeURIComponent('a:1.2.3.4\n6.6.6.6 b')}`, [400]],
    ['a host without address', 'extrahosts=a', [400]],
    ['a platform of junk', 'platform=%2e%2e/%2e%2e/%2e%2e/x', [400]],
    ['a platform that is none', 'platform=linux/amd64/v1/v2', [400]],
    ['a builder of tomorrow', 'version=3', [400]],
    ['squash', 'squash=1', [501]],
    ['credentials that are none', 'q=1', [400]],
    ['arguments that are no object', 'buildargs=%5B1%5D', [400]],
    ['arguments that are not JSON', 'buildargs=x', [400]],
    ['labels of numbers', `labels=${json({ a: 1 })}`, [400]],
  ])('%s', async (name, query, statuses) => {
    const before = fake.registryCalls();
    const headers = name === 'credentials that are none' ? { 'X-Registry-Config': '%%%secret' } : {};
    const { status, text } = await build(query, PLAIN, headers);
    expect(statuses, text).toContain(status);
    expect(text).not.toMatch(/secret| at .*\.ts|node_modules/);
    expect(fake.registryCalls()).toBe(before);
    await expectNothingLeft(1);
  });
});

describe('refused by its Dockerfile', () => {
  it.each<[string, string]>([
    ['a step in the network of the machine', 'RUN --network=host true'],
    ['an insecure step', 'RUN --security=insecure true'],
    ['a frontend out of an image', '# syntax=attacker/frontend\nFROM app\nENV A=1'],
    ['a mount out of the context', 'RUN --mount=type=bind,source=../../../etc,target=/x true'],
    ['a mount onto /proc', 'RUN --mount=type=bind,source=.,target=/proc/self true'],
    ['a mount onto the root', 'RUN --mount=type=cache,target=/ true'],
    ['a secret of the machine', 'RUN --mount=type=secret,id=/etc/shadow,required=true true'],
    ['an agent', 'RUN --mount=type=ssh,required=true true'],
    ["another job's image", 'FROM berth.local/other/app\nENV A=1'],
    ["files of another job's image", 'COPY --from=berth.local/other/app / /'],
    ['a file out of the context', 'COPY ../../../etc/passwd /x'],
    ['a URL', 'ADD http://169.254.169.254/x /x'],
    ['a repository', 'ADD https://example.com/x.git /x'],
    ['a user out of range', 'COPY --chown=4294967296 Dockerfile /x'],
    ['a working directory below /proc', 'WORKDIR /proc/self/fd/7\nRUN true'],
  ])('%s', async (_, text) => {
    const whole = /^(?:#|FROM)/.test(text) ? text : `FROM app\n${text}`;
    const answer = await build('', [dockerfile(whole)]);
    expect(answer.status === 200 ? answer.text : 'errorDetail', answer.text).toContain('errorDetail');
    expect(answer.text).not.toContain('Successfully built');
    await expectNothingLeft(1);
  });
});

describe('contained', () => {
  const ABSENT = 'Cannot locate specified Dockerfile';
  it.each<[string, string, string]>([
    [
      'a Dockerfile above the context',
      '../../secret',
      'forbidden path outside the build context: ../../secret',
    ],
    ['a Dockerfile by absolute path', '/etc/passwd', ABSENT],
    ['a link to a Dockerfile of the machine', 'link', ABSENT],
    ['a directory that is a link', 'dir/passwd', ABSENT],
  ])('%s', async (_, path, words) => {
    const { stateDir } = fake.job.paths;
    await mkdir(join(stateDir, 'outside'), { recursive: true });
    await writeFile(join(stateDir, 'secret'), 'FROM app\nENV FOUND=1\n');
    const { status, text } = await build(`dockerfile=${encodeURIComponent(path)}`, [
      ...PLAIN,
      { path: 'link', type: 'symlink', target: '/etc/passwd' },
      { path: 'dir', type: 'symlink', target: '/etc' },
    ]);
    await rm(join(stateDir, 'secret'));
    await rm(join(stateDir, 'outside'), { recursive: true });
    expect([status, text]).toEqual([400, expect.stringContaining(words)]);
    await expectNothingLeft(1);
  });

  it.each<[string, LayerEntry]>([
    ['a file above the context', { path: '../../../out', type: 'file', content: 'x' }],
    ['a file below a link', { path: 'l/out', type: 'file', content: 'x' }],
    ['a hard link out', { path: 'h', type: 'link', target: '../../../secret' }],
  ])('%s', async (_, entry) => {
    const { stateDir } = fake.job.paths;
    await build('', [{ path: 'l', type: 'symlink', target: '../..' }, ...PLAIN, entry]);
    expect(await readdir(stateDir)).not.toContain('out');
    expect(await readdir(join(stateDir, '..'))).not.toContain('out');
    for (const { id } of fake.job.images.list().slice(1)) await fake.api.delete(`/images/${id}?force=1`);
  });

  it('triggers, labels and volumes of an image raise nothing', async () => {
    const text =
      'FROM app AS base\nONBUILD ENV X=1\nLABEL privileged=true containerd.io/gc.root=x\nFROM base\nUSER 0\n';
    const { status, text: output } = await build('', [dockerfile(text)]);
    expect([status, output]).toEqual([200, expect.stringContaining('Successfully built')]);
    const records = await fake.job.store.images.list();
    expect(JSON.stringify(records.map(({ labels }) => labels))).not.toContain('gc.root');
  });
});
