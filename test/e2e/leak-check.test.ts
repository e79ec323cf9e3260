import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareSnapshots, takeSnapshot } from '../support/leaks.ts';

const run = promisify(execFile);

// The check that guards all other suites is itself seen to fire: one thing of each kind is left on purpose.

const undo: (() => Promise<unknown>)[] = [];
let scratch = '';
let unique = '';

beforeEach(async () => {
  scratch = await mkdtemp('/tmp/berth-');
  unique = scratch.slice(-6).toLowerCase();
});

afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
  await rm(scratch, { recursive: true });
});

async function plant(program: string, args: readonly string[], remove: readonly string[]): Promise<void> {
  await run(program, args);
  undo.push(() => run(program, remove));
}

/** As `ip netns add`, which would leave a mount on /run/netns itself the first time. */
async function leaveNetns(file: string): Promise<void> {
  const made = await mkdir('/run/netns', { recursive: true });
  if (made !== undefined) undo.push(() => rmdir(made));
  await writeFile(file, '');
  undo.push(() => rm(file));
  await run('unshare', [`--net=${file}`, 'true']);
  undo.push(() => run('umount', [file]));
}

/** iptables makes its tables when it is first used, and never takes one away. */
async function removeTableOfIptables(): Promise<void> {
  const hasTable = async (): Promise<boolean> =>
    (await run('nft', ['list', 'tables'])).stdout.includes('table ip nat\n');
  if (await hasTable()) return;
  undo.push(async () => {
    if (await hasTable()) await run('nft', ['delete', 'table', 'ip', 'nat']);
  });
}

async function cgroupRoot(): Promise<string> {
  const { stdout } = await run('stat', ['--file-system', '--format', '%T', '/sys/fs/cgroup']);
  return stdout.trim() === 'cgroup2fs' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids';
}

test('a left mount, netns, link, rule, cgroup, file and process are each reported', async () => {
  const before = await takeSnapshot();
  await mkdir(join(scratch, 'mount'));
  await run('mount', ['-t', 'tmpfs', 'none', join(scratch, 'mount')]);
  undo.push(() => run('umount', [join(scratch, 'mount')]));
  await leaveNetns(`/run/netns/n${unique}`);
  await plant('ip', ['link', 'add', `l${unique}`, 'type', 'bridge'], ['link', 'delete', `l${unique}`]);
  await plant('nft', ['add', 'table', 'ip', `t${unique}`], ['delete', 'table', 'ip', `t${unique}`]);
  await removeTableOfIptables();
  await plant('iptables', ['-t', 'nat', '-N', `c${unique}`], ['-t', 'nat', '-X', `c${unique}`]);
  const cgroup = join(await cgroupRoot(), `g${unique}`);
  await mkdir(cgroup);
  undo.push(() => rmdir(cgroup));
  const child = spawn('bash', ['-c', 'exec -a containerd-shim-runc-v2 sleep 60']);
  undo.push(async () => child.kill('SIGKILL'));
  await expect
    .poll(async () => compareSnapshots(before, await takeSnapshot()))
    .toContain(`process: ${String(child.pid)} containerd-shim-runc-v2 60`);

  const leaks = compareSnapshots(before, await takeSnapshot());
  expect(leaks).toContain(`mount: ${join(scratch, 'mount')} (tmpfs)`);
  expect(leaks).toContain(`mount: /run/netns/n${unique} (nsfs)`);
  expect(leaks).toContain(`named netns: n${unique}`);
  expect(leaks).toContain(`link: l${unique}`);
  expect(leaks).toContain(`nft rule: table ip t${unique} {`);
  expect(leaks).toContain(`iptables rule: :c${unique} -`);
  expect(leaks).toContain(`cgroup: ${cgroup}`);
});
