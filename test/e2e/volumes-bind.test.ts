import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

// Volumes whose driver options name a directory, as compose files have them: they are binds of it, with all that holds for binds.

const top = mkdtempSync('/tmp/berth-volume-binds-');
const workspace = join(top, 'work');
mkdirSync(join(workspace, 'sub'), { recursive: true });
writeFileSync(join(workspace, 'sub/file'), 'in the workspace');

const job = useJob({ args: ['--workspace', workspace] });
const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '--rm', ...args);

afterAll(() => {
  rmSync(top, { recursive: true });
});

/** Makes a volume that stands for a directory; answers its name. */
function makeVolume(name: string, device: string, o = 'bind'): Promise<string> {
  const options = { type: 'none', o, device };
  const flags = Object.entries(options).flatMap(([key, value]) => ['--opt', `${key}=${value}`]);
  return ask(job.berth, 'volume', 'create', ...flags, name);
}

test('a volume of a directory is that directory, in every container, and leaves it there', async () => {
  const name = await makeVolume('stands', `${workspace}/sub`);
  expect(await run('-v', `${name}:/x`, 'busybox', 'sh', '-c', 'cat /x/file; echo new > /x/new')).toBe(
    'in the workspace',
  );
  expect(readFileSync(join(workspace, 'sub/new'), 'utf8')).toBe('new\n');
  expect(await run('--mount', `type=volume,src=${name},dst=/y`, 'busybox', 'cat', '/y/new')).toBe('new');
  const shown = await ask(job.berth, 'volume', 'inspect', '-f', '{{json .Options}} {{.Driver}}', name);
  expect(shown).toBe(`{"device":"${workspace}/sub","o":"bind","type":"none"} local`);
  await ask(job.berth, 'volume', 'rm', name);
  expect(readFileSync(join(workspace, 'sub/file'), 'utf8')).toBe('in the workspace');
});

test('another container takes it over with --volumes-from, and it stays until the last one is gone', async () => {
  const name = await makeVolume('shared', `${workspace}/sub`);
  const first = await ask(job.berth, 'create', '-v', `${name}:/x`, 'busybox');
  const second = await ask(job.berth, 'create', '--volumes-from', first, 'busybox', 'cat', '/x/file');
  await ask(job.berth, 'rm', first);
  expect((await job.berth.docker(['volume', 'rm', name])).stderr).toContain(`volume is in use - [${second}]`);
  expect(await ask(job.berth, 'start', '-a', second)).toBe('in the workspace');
  await ask(job.berth, 'rm', second);
  await ask(job.berth, 'volume', 'rm', name);
});

test.each(['bind,ro', 'ro,bind'])('with %s nobody writes, whatever the container asks for', async (o) => {
  const name = await makeVolume('locked', `${workspace}/sub`, o);
  const { code, stderr } = await job.berth.docker([
    'run',
    '--rm',
    '-v',
    `${name}:/x`,
    'busybox',
    'touch',
    '/x/no',
  ]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('Read-only file system') as string,
  });
  await ask(job.berth, 'volume', 'rm', name);
});

test("an image's files are not copied into it", async () => {
  mkdirSync(join(workspace, 'empty'));
  const name = await makeVolume('empty', `${workspace}/empty`);
  expect(await run('-v', `${name}:/etc`, 'busybox', 'ls', '-A', '/etc')).not.toContain('passwd');
  await ask(job.berth, 'volume', 'rm', name);
});

test.each([
  ['/etc', 'bind source path is not one that the job sees'],
  [`${workspace}/../outside`, 'bind source path is not one that the job sees'],
  ['/proc/self', "bind source path is of the kernel's own files"],
])('a volume of %s is not made: %s', async (device, message) => {
  const options = ['type=none', 'o=bind', `device=${device}`].flatMap((option) => ['--opt', option]);
  const { code, stderr } = await job.berth.docker(['volume', 'create', ...options, 'refused']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) as string });
  expect(await ask(job.berth, 'volume', 'ls', '-q', '-f', 'name=refused')).toBe('');
});

test('a directory that is not there, or leads elsewhere since, cannot be mounted', async () => {
  const device = join(workspace, 'later');
  const name = await makeVolume('later', device);
  for (const [begin, message] of [
    [(): void => undefined, 'bind source path does not exist'],
    [(): void => symlinkSync('/etc', device), 'bind source path is not one that the job sees'],
  ] as const) {
    begin();
    const { code, stderr } = await job.berth.docker(['run', '--rm', '-v', `${name}:/x`, 'busybox', 'true']);
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining(message) as string });
    expect(await ask(job.berth, 'ps', '-aq')).toBe('');
  }
  await ask(job.berth, 'volume', 'rm', name);
});

test('a part of it cannot be asked for', async () => {
  const name = await makeVolume('parts', workspace);
  const part = `type=volume,src=${name},dst=/x,volume-subpath=sub`;
  const { code, stderr } = await job.berth.docker(['create', '--mount', part, 'busybox']);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('has no volume-subpath') as string,
  });
  await ask(job.berth, 'volume', 'rm', name);
});
