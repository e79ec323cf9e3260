import { beforeAll, describe, expect, test } from 'vitest';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';
import { runCommand, type CommandResult } from '../support/e2e-process.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';

// update, diff, export, system df and the prunes, with the docker CLI.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);
const inspect = (id: string, format: string): Promise<string> => docker('inspect', '-f', format, id);
const SLEEP = ['busybox', 'sleep', '1000'];

async function get(path: string): Promise<unknown> {
  const { stdout } = await runCommand({
    program: 'curl',
    args: ['-s', '--max-time', '30', '--unix-socket', job.berth.ready.socket, `http://localhost${path}`],
    env: job.berth.clientEnv,
  });
  return JSON.parse(stdout);
}

describe('docker update', () => {
  const limits =
    'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; ' +
    'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true';

  test('changes the limits of what runs, and those of the next start', async () => {
    const id = await docker(
      'run',
      '-d',
      '--memory',
      '32m',
      '--memory-swap',
      '64m',
      '--pids-limit',
      '20',
      ...SLEEP,
    );
    await docker('update', '--memory', '64m', '--memory-swap', '128m', '--pids-limit', '30', id);
    expect(await docker('exec', id, 'sh', '-c', limits)).toBe('67108864\n30');
    expect(await inspect(id, '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}')).toBe('67108864 30');
    await docker('restart', '-t', '0', id);
    expect(await docker('exec', id, 'sh', '-c', limits)).toBe('67108864\n30');
    await docker('update', '--pids-limit', '-1', id);
    expect(await docker('exec', id, 'sh', '-c', limits)).toBe('67108864\nmax');
    await docker('rm', '-f', id);
  });

  test('processor shares and quota', async () => {
    const id = await docker('run', '-d', ...SLEEP);
    await docker('update', '--cpu-shares', '256', '--cpus', '0.5', id);
    expect(await inspect(id, '{{.HostConfig.CpuShares}} {{.HostConfig.NanoCpus}}')).toBe('256 500000000');
    const { stderr } = await job.berth.docker(['update', '--cpu-quota', '20000', id]);
    expect(stderr).toContain('CPU Quota cannot be updated as NanoCPUs has already been set');
    await docker('rm', '-f', id);
  });

  test('a restart policy takes effect at the next end', async () => {
    const id = await docker('run', '-d', ...SLEEP);
    await docker('update', '--restart', 'always', id);
    expect(await inspect(id, '{{.HostConfig.RestartPolicy.Name}}')).toBe('always');
    process.kill(Number(await inspect(id, '{{.State.Pid}}')), 'SIGKILL');
    await expect.poll(() => inspect(id, '{{.State.Status}} {{.RestartCount}}')).toBe('running 1');
    await docker('rm', '-f', id);
    const removed = await docker('run', '-d', '--rm', ...SLEEP);
    const { stderr } = await job.berth.docker(['update', '--restart', 'always', removed]);
    expect(stderr).toContain('Restart policy cannot be updated because AutoRemove is enabled');
    await docker('rm', '-f', removed);
  });

  test('what create refuses is refused', async () => {
    const id = await docker('create', '--memory', '32m', '--memory-swap', '64m', ...SLEEP);
    const update = async (...args: readonly string[]): Promise<string> =>
      (await job.berth.docker(['update', ...args, id])).stderr;
    expect(await update('--memory', '4m')).toContain('Minimum memory limit allowed is 6MB');
    expect(await update('--memory', '128m')).toContain(
      'Memory limit should be smaller than already set memoryswap',
    );
    expect(await update('--cpu-rt-runtime', '1000')).toContain('is refused');
    expect(await inspect(id, '{{.HostConfig.Memory}}')).toBe('33554432');
    await docker('rm', id);
  });
});

describe('docker diff', () => {
  test('a container that does nothing has no changes, started or not', async () => {
    const id = await docker('run', '-d', '-v', 'data:/data/inner', ...SLEEP);
    expect(await docker('diff', id)).toBe('');
    expect(await get(`/containers/${id}/changes`)).toBeNull();
    await docker('rm', '-f', id);
    const created = await docker('create', 'busybox');
    expect(await docker('diff', created)).toBe('');
    await docker('rm', created);
  });

  test.each([{ stop: false }, { stop: true }])(
    'added, changed, deleted; stopped: $stop',
    async ({ stop }) => {
      const script = 'touch /new; mkdir /made; touch /made/x; echo >> /etc/passwd; rm /etc/group; sleep 1000';
      const id = await docker('run', '-d', '-v', '/volume', 'busybox', 'sh', '-c', script);
      await expect.poll(() => docker('diff', id)).toContain('D /etc/group');
      await docker('exec', id, 'touch', '/volume/file');
      if (stop) await docker('stop', '-t', '0', id);
      expect((await docker('diff', id)).split('\n')).toEqual([
        'C /etc',
        'D /etc/group',
        'C /etc/passwd',
        'A /made',
        'A /made/x',
        'A /new',
      ]);
      await docker('rm', '-fv', id);
    },
  );
});

describe('docker export', () => {
  test.each([{ stop: false }, { stop: true }])(
    'all files but those of volumes; stopped: $stop',
    async ({ stop }) => {
      const id = await docker(
        'run',
        '-d',
        '-v',
        '/volume',
        'busybox',
        'sh',
        '-c',
        'echo text > /new; sleep 1000',
      );
      await docker('exec', id, 'touch', '/volume/file');
      if (stop) await docker('stop', '-t', '0', id);
      const file = `${job.berth.directories.home}/export.tar`;
      await docker('export', '-o', file, id);
      const tar = (args: readonly string[]): Promise<CommandResult> =>
        runCommand({ program: 'tar', args, env: job.berth.clientEnv });
      const names = (await tar(['-tf', file])).stdout.split('\n');
      expect(names).toEqual(expect.arrayContaining(['bin/sh', 'etc/passwd', 'new', 'volume/']));
      expect(names).not.toContain('volume/file');
      expect(names.filter((name) => name.startsWith('/') || name.startsWith('proc/'))).toEqual(['proc/']);
      expect((await tar(['-xOf', file, 'new'])).stdout).toBe('text\n');
      await docker('rm', '-fv', id);
    },
  );
});

describe('what a container begins with, whatever its image has', () => {
  const BEGUN = ['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/mtab', 'etc/resolv.conf'];

  test('is there before the first start and during it, and in no image that is made from it', async () => {
    const id = await docker('create', 'busybox', 'sh', '-c', 'ls -d /.dockerenv && head -c 12 /etc/mtab');
    const filesOf = async (containerId: string): Promise<readonly string[]> => {
      const file = `${job.berth.directories.home}/begun.tar`;
      await docker('export', '-o', file, containerId);
      const listing = await runCommand({ program: 'tar', args: ['-tf', file], env: job.berth.clientEnv });
      return listing.stdout.split('\n');
    };
    expect(await filesOf(id)).toEqual(expect.arrayContaining(BEGUN));
    expect(await docker('start', '-a', id)).toMatch(/^\/\.dockerenv\noverlay \/ ov/);
    const image = await docker('commit', id);
    const layers = '{{len .RootFS.Layers}}';
    expect(await docker('image', 'inspect', '-f', layers, image)).toBe(
      await docker('image', 'inspect', '-f', layers, 'busybox'),
    );
    await docker('rm', id);
    await docker('rmi', image);
  });

  test('leaves the directories of the image as they are', async () => {
    const script = 'chmod 700 /etc && chown 7:8 /etc && rm /etc/mtab && echo mine > /etc/mtab';
    const changed = await docker('run', '-d', 'busybox', 'sh', '-c', script);
    await docker('wait', changed);
    const image = await docker('commit', changed);
    expect(await docker('run', '--rm', image, 'sh', '-c', 'stat -c "%a %u %g" /etc; cat /etc/mtab')).toBe(
      '700 7 8\nmine',
    );
    await docker('rm', changed);
    await docker('rmi', image);
  });
});

describe('docker system df and prune', () => {
  const remove = async (): Promise<void> => {
    await job.berth.docker(['volume', 'prune', '-af']);
  };
  beforeAll(remove);

  test('counts and sizes are true, and empty sets are empty lists', async () => {
    const empty = (await get('/system/df')) as Readonly<Record<string, unknown>>;
    expect(empty).toMatchObject({ Containers: [], Volumes: [], BuildCache: [] });
    const id = await docker(
      'run',
      '-d',
      '-v',
      'kept:/kept',
      'busybox',
      'sh',
      '-c',
      'dd if=/dev/zero of=/kept/file bs=1024 count=512; dd if=/dev/zero of=/own bs=1024 count=256; sleep 1000',
    );
    await expect.poll(() => docker('exec', id, 'ls', '-l', '/own')).toContain('262144');
    const df = (await get('/system/df')) as {
      readonly LayersSize: number;
      readonly Images: readonly { readonly Size: number; readonly Containers: number }[];
      readonly Containers: readonly { readonly Id: string; readonly SizeRw: number }[];
      readonly Volumes: readonly {
        readonly UsageData: { readonly Size: number; readonly RefCount: number };
      }[];
    };
    expect(df.Images).toMatchObject([{ Size: df.LayersSize, Containers: 1 }]);
    expect(df.LayersSize).toBeGreaterThan(100_000);
    expect(df.Containers).toMatchObject([{ Id: id }]);
    expect(df.Containers[0]?.SizeRw).toBeGreaterThanOrEqual(262_144);
    expect(df.Volumes[0]?.UsageData.RefCount).toBe(1);
    expect(df.Volumes[0]?.UsageData.Size).toBeGreaterThanOrEqual(524_288);
    const table = await docker('system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}');
    expect(table.split('\n')).toEqual([
      'Images 1 1',
      'Containers 1 1',
      'Local Volumes 1 1',
      'Build Cache 0 0',
    ]);
    expect(await get('/v1.42/system/df?type=volume')).toMatchObject({ Images: null, Containers: null });
    expect(await get('/v1.42/system/df?type=other')).toEqual({ message: 'unknown object type: other' });
    await docker('rm', '-f', id);
    await docker('volume', 'rm', 'kept');
  });

  test('image prune: the untagged, and with -a the unused', async () => {
    const image = await buildImage({ cmd: ['true'], env: ['A=1'] });
    const other = await buildImage({ cmd: ['true'], env: ['A=2'] });
    const load = async (loaded: typeof image, tag: string): Promise<void> => {
      const input = await dockerArchive([{ image: loaded, tags: [tag] }]);
      expect((await job.berth.docker(['load'], { input })).code).toBe(0);
    };
    await load(image, 'moved:1');
    await load(other, 'moved:1');
    await load(await buildImage({ cmd: ['true'], env: ['A=3'] }), 'unused:1');
    await docker('tag', 'unused:1', 'unused:2');
    const id = await docker('create', 'moved:1');
    expect(await docker('images', '-qf', 'dangling=true')).not.toBe('');
    expect(await docker('image', 'prune', '-f')).toContain('Deleted Images:');
    expect(await docker('images', '-qf', 'dangling=true')).toBe('');
    expect(await docker('image', 'prune', '-f')).toBe('Total reclaimed space: 0B');
    const pruned = await docker('image', 'prune', '-af');
    expect(pruned).toContain('untagged: unused:1');
    expect(pruned).toContain('untagged: unused:2');
    expect(await docker('images', '--format', '{{.Repository}}')).toBe('moved');
    await docker('rm', id);
    await loadBusybox(job.berth);
  });

  test('system prune -a --volumes leaves what is in use', async () => {
    const running = await docker('run', '-d', '-v', '/anonymous', ...SLEEP);
    const stopped = await docker('create', '-v', '/anonymous', 'busybox');
    const pruned = await docker('system', 'prune', '-f', '-a', '--volumes');
    expect(pruned).toContain(stopped);
    expect(pruned).toContain('Deleted Volumes:');
    expect(await docker('ps', '-aq', '--no-trunc')).toBe(running);
    expect(await docker('images', '--format', '{{.Repository}}')).toBe('busybox');
    await docker('rm', '-fv', running);
  });
});
