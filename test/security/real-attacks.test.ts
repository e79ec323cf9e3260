import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiClient, type ApiClient } from '../support/api-client.ts';
import { ask, useJob } from '../support/e2e-job.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage, packTar } from '../support/image-builder.ts';
import { createScorecard } from '../support/scorecard.ts';

// Attacks from inside real containers, by root, and through hostile images. A directory of the machine with a secret
// in it must be neither read nor changed.

const score = createScorecard('attacks in containers');
const job = useJob();
const SECRET = `of the machine ${Math.random()}`;

let outside: string;
let api: ApiClient;
let victim: string;

beforeAll(async () => {
  outside = await mkdtemp('/tmp/berth-outside-');
  await writeFile(join(outside, 'secret'), SECRET);
  await loadHostileImage();
  api = createApiClient(job.berth.ready.socket);
  victim = await ask(job.berth, 'run', '-d', '--name', 'victim', 'hostile', 'sleep', '1000');
});
afterAll(async () => {
  expect(await readdir(outside)).toEqual(['secret']);
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe(SECRET);
  await rm(outside, { recursive: true });
});

/** Busybox with links that lead out, if anybody but a container follows them. */
async function loadHostileImage(): Promise<void> {
  const descriptors = Array.from({ length: 24 }, (_, fd) => fd + 3);
  const image = await buildImage({
    cmd: ['sh'],
    layers: [
      [
        { path: 'escape', type: 'symlink', target: outside },
        { path: 'climb', type: 'symlink', target: `../../../../../..${outside}` },
        { path: 'self', type: 'symlink', target: '/proc/self/exe' },
        ...descriptors.map(
          (fd) => ({ path: `fd${fd}`, type: 'symlink', target: `/proc/self/fd/${fd}` }) as const,
        ),
      ],
    ],
  });
  const input = await dockerArchive([{ image, tags: ['hostile:latest'] }]);
  expect((await job.berth.docker(['load'], { input })).code).toBe(0);
}

async function inVictim(script: string): Promise<{ readonly code: number; readonly text: string }> {
  const { code, stdout, stderr } = await job.berth.docker(['exec', victim, 'sh', '-c', script]);
  return { code, text: stdout + stderr };
}

describe('root inside a container cannot', () => {
  test.each([
    ['set core_pattern', 'echo "|/x" > /proc/sys/kernel/core_pattern'],
    ['write to sysrq-trigger', 'echo h > /proc/sysrq-trigger'],
    ['read the kernel memory', 'test -n "$(head -c 16 /proc/kcore)"'],
    ['read kernel keys', 'test -n "$(cat /proc/keys)"'],
    ['mount', 'mkdir -p /m && mount -t tmpfs none /m'],
    ['mount proc', 'mkdir -p /m && mount -t proc none /m'],
    ['remount the root', 'mount -o remount,rw /proc/sys'],
    ['make a user namespace', 'unshare -U true'],
    ['make a mount namespace', 'unshare -m true'],
    ['open a disk', 'mknod /disk b 8 0; head -c 1 /disk'],
    ['open the kernel log', 'mknod /kmsg c 1 11; head -c 1 /kmsg'],
    ['open memory', 'mknod /mem c 1 1; head -c 1 /mem'],
    [
      'write to a cgroup',
      'for f in $(find /sys/fs/cgroup -name cgroup.procs); do echo 0 > $f && exit 0; done; exit 1',
    ],
    [
      'set a release agent',
      'for f in $(find /sys/fs/cgroup -name release_agent); do echo /x > $f && exit 0; done; exit 1',
    ],
    [
      'open its device list',
      'for f in $(find /sys/fs/cgroup -name devices.allow); do echo a > $f && exit 0; done; exit 1',
    ],
    [
      'write below /sys',
      'for f in /sys/kernel/uevent_helper /sys/power/state; do echo x > $f && exit 0; done; exit 1',
    ],
    ['change the host name', 'hostname evil'],
    ['set the clock', 'date -s 2001-01-01; test "$(date +%Y)" = 2001'],
    ['see processes of the machine', 'test "$(ls -d /proc/[0-9]* | wc -l)" -gt 12'],
    ['trace init', 'test -r /proc/1/mem && head -c 1 /proc/1/mem'],
    ['see the socket of containerd', 'find / -xdev -name "containerd*.sock" | grep .'],
  ])('%s', (_name, script) =>
    score.row(async () => {
      const { code, text } = await inVictim(script);
      expect(code, text).not.toBe(0);
    }),
  );

  test('have more than the default capabilities, as any user', () =>
    score.row(async () => {
      const { stdout } = await job.berth.docker(['exec', '-u', '0:0', victim, 'cat', '/proc/self/status']);
      expect(stdout).toMatch(/^CapEff:\t00000000a80425fb$/m);
      expect(stdout).toMatch(/^CapInh:\t0{16}$/m);
      expect(stdout).toMatch(/^Seccomp:\t2$/m);
      const user = await job.berth.docker(['exec', '-u', '1234', victim, 'cat', '/proc/self/status']);
      expect(user.stdout).toMatch(/^CapEff:\t0{16}$/m);
    }));

  test('gain rights on a tmpfs', () =>
    score.row(async () => {
      const mounts = await ask(
        job.berth,
        'run',
        '--rm',
        '--tmpfs',
        '/t:exec',
        'busybox',
        'cat',
        '/proc/mounts',
      );
      expect(mounts).toMatch(/ \/t tmpfs .*nosuid.*nodev/);
      expect(mounts).toMatch(/ \/dev\/shm tmpfs .*nosuid.*nodev.*noexec/);
    }));
});

describe('a working directory that is a descriptor of the runtime', () => {
  const script = `cat ../../../../../../../..$0/secret ./secret; cat ../../../../../../../../etc/hostname`;

  test('of a container', () =>
    score.row(async () => {
      const machine = (await readFile('/etc/hostname', 'utf8')).trim();
      for (let fd = 3; fd < 27; fd += 1) {
        const args = [
          'run',
          '--rm',
          '-h',
          'inside',
          '-w',
          `/fd${fd}`,
          'hostile',
          'sh',
          '-c',
          script,
          outside,
        ];
        const { stdout } = await job.berth.docker(args);
        expect(stdout).not.toContain(SECRET);
        expect(stdout.split('\n')).not.toContain(machine);
      }
    }));

  test('of an exec', () =>
    score.row(async () => {
      for (let fd = 3; fd < 27; fd += 1) {
        const args = ['exec', '-w', `/fd${fd}`, victim, 'sh', '-c', script, outside];
        expect((await job.berth.docker(args)).stdout).not.toContain(SECRET);
      }
    }));
});

describe('a program that is the runtime itself', () => {
  test('is not the runtime of the machine', () =>
    score.row(async () => {
      const digest = async (): Promise<string> =>
        createHash('sha256')
          .update(await readFile('/usr/sbin/runc'))
          .digest('hex');
      const before = await digest();
      await job.berth.docker(['run', '--rm', 'hostile', '/self', '--version']);
      await inVictim('for p in /proc/[0-9]*; do echo x > $p/exe; done');
      await job.berth.docker(['exec', victim, '/self', '--version']);
      expect(await digest()).toBe(before);
    }));
});

describe('docker cp', () => {
  test.each(['victim', 'stopped'])('out of links that lead to the machine: %s', (name) =>
    score.row(async () => {
      if (name === 'stopped') await ask(job.berth, 'create', '--name', name, 'hostile', 'true');
      for (const path of ['/escape/secret', '/climb/secret', '/self', '/fd3']) {
        const { stdout } = await job.berth.docker(['cp', '-L', `${name}:${path}`, '-']);
        expect(stdout).not.toContain(SECRET);
      }
    }),
  );

  test.each(['victim', 'stopped'])('into links that lead to the machine: %s', (name) =>
    score.row(async () => {
      const tar = await packTar([
        { path: 'escape/new', type: 'file', content: 'evil' },
        { path: 'climb/secret', type: 'file', content: 'evil' },
        { path: 'link', type: 'symlink', target: outside },
        { path: 'link/new', type: 'file', content: 'evil' },
        { path: 'hard', type: 'link', target: `../../../../..${outside}/secret` },
      ]);
      const { status } = await api.put(`/containers/${name}/archive?path=/`, tar);
      expect(status).toBeLessThan(500);
      await api.put(`/containers/${name}/archive?path=/escape`, tar);
      expect(await readdir(outside)).toEqual(['secret']);
    }),
  );

  test('while the container swaps directory and link', () =>
    score.row(async () => {
      const swap = `while :; do mkdir /race; rm -rf /race; ln -s ${outside} /race; rm -f /race; done`;
      await ask(job.berth, 'exec', '-d', victim, 'sh', '-c', swap);
      const tar = await packTar([{ path: 'race/new', type: 'file', content: 'evil' }]);
      const inner = await packTar([{ path: 'new', type: 'file', content: 'evil' }]);
      for (let round = 0; round < 150; round += 1) {
        await api.put('/containers/victim/archive?path=/', tar);
        await api.put('/containers/victim/archive?path=/race', inner);
        const read = await api.get('/containers/victim/archive?path=/race/secret');
        expect(read.status).toBe(404);
      }
      expect(await readdir(outside)).toEqual(['secret']);
    }));

  test.each(['/dev/zero', '/proc/kcore', '/proc/self/root', '/sys/kernel', '/fifo'])(
    'of %s ends',
    (path) =>
      score.row(async () => {
        await inVictim('test -p /fifo || mkfifo /fifo');
        const { stdout } = await job.berth.docker(['cp', `victim:${path}`, '-'], { timeoutMs: 30_000 });
        expect(stdout.length).toBeLessThan(64 << 20);
        expect(stdout).not.toContain(SECRET);
      }),
    60_000,
  );

  test('into a read-only root is refused', () =>
    score.row(async () => {
      await ask(job.berth, 'create', '--name', 'fixed', '--read-only', 'busybox', 'true');
      const tar = await packTar([{ path: 'new', type: 'file', content: 'x' }]);
      expect(await api.put('/containers/fixed/archive?path=/', tar)).toMatchObject({
        status: 403,
        message: 'container rootfs is marked read-only',
      });
    }));
});

describe('volumes', () => {
  test.each(['/escape', '/climb'])(
    'over a link of the image to the machine take nothing from there: %s',
    (place) =>
      score.row(async () => {
        const { stdout } = await job.berth.docker([
          'run',
          '--rm',
          '-v',
          `vol${place.slice(1)}:${place}`,
          'hostile',
          'sh',
          '-c',
          `cat ${place}/secret; ls -R ${place}/`,
        ]);
        expect(stdout).not.toContain('secret');
      }),
  );
});
