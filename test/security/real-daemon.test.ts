import { execFileSync } from 'node:child_process';
import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  showLogsOnFailure,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';
import { buildImage } from '../support/image-builder.ts';
import { pushImage, startRegistry, type Registry } from '../support/registry.ts';
import { createScorecard } from '../support/scorecard.ts';

// Attacks on the daemon itself: its socket, what it holds for all, and what outlives it.

const score = createScorecard('attacks on the daemon');
const LOG_BYTES = 2 << 20;

/** Sends descriptors along with a request, over and over. */
const PASS_DESCRIPTORS = `
import array, socket, sys
for _ in range(20):
    with socket.socket(socket.AF_UNIX) as s, open('/dev/null') as f:
        s.connect(sys.argv[1])
        fds = array.array('i', [f.fileno()] * 200)
        s.sendmsg([b'GET /_ping HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'],
                  [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        assert s.recv(64).startswith(b'HTTP/1.1 200'), 'no answer'
`;

describe('the socket', () => {
  const job = useJob();
  const isAnswering = async (): Promise<void> => {
    expect(await ask(job.berth, 'version', '-f', '{{.Server.APIVersion}}')).toMatch(/^1\./);
  };

  test('takes no descriptors', () =>
    score.row(async () => {
      const count = async (): Promise<number> => (await readdir(`/proc/${job.berth.pid}/fd`)).length;
      const before = await count();
      execFileSync('python3', ['-c', PASS_DESCRIPTORS, job.berth.ready.socket], { stdio: 'inherit' });
      await isAnswering();
      expect(await count()).toBeLessThan(before + 100);
    }));

  test.each([
    'rm -f /var/run/docker.sock',
    'mv /var/run/docker.sock /var/run/other.sock',
    'ln -sf /x /var/run/docker.sock',
    'mount -t tmpfs none /var/run',
  ])('stays where it is: %s', (script) =>
    score.row(async () => {
      const { socket } = job.berth.ready;
      const { ino } = await stat(socket);
      const bind = '/var/run/docker.sock:/var/run/docker.sock';
      const run = await job.berth.docker([
        'run',
        '--rm',
        '-v',
        bind,
        'busybox',
        'sh',
        '-c',
        `${script} && echo done`,
      ]);
      expect(run.stdout).not.toContain('done');
      expect((await stat(socket)).ino).toBe(ino);
      await isAnswering();
    }),
  );

  test('is all that a container sees of its directory', () =>
    score.row(async () => {
      const bind = '/var/run/docker.sock:/s/docker.sock';
      expect(await ask(job.berth, 'run', '--rm', '-v', bind, 'busybox', 'ls', '-A', '/s')).toBe(
        'docker.sock',
      );
      const { code } = await job.berth.docker([
        'run',
        '--rm',
        '-v',
        `${job.berth.directories.runDir}:/s`,
        'busybox',
        'ls',
        '/s',
      ]);
      expect(code).not.toBe(0);
    }));
});

describe('the file of the socket', () => {
  test('is made again where somebody removes it, and who has mounted the old one is still served', () =>
    score.row(async () => {
      const berth = await startBerth({});
      try {
        await loadBusybox(berth);
        const { socket } = berth.ready;
        await ask(berth, 'run', '-d', '--name', 'old', '-v', `${socket}:/s`, 'busybox', 'sleep', '1000');
        const moved = `${socket}.moved`;
        await rename(socket, moved);
        await expect
          .poll(
            () =>
              stat(socket).then(
                (facts) => facts.isSocket(),
                () => false,
              ),
            { timeout: 10_000 },
          )
          .toBe(true);
        expect((await stat(socket)).mode & 0o777).toBe(0o666);
        expect(await ask(berth, 'ps', '--format', '{{.Names}}')).toBe('old');
        expect(await ask(berth, '-H', `unix://${moved}`, 'ps', '--format', '{{.Names}}')).toBe('old');
        expect(berth.logs()).toContain('the socket file was removed or replaced, and is made again');
      } finally {
        expect((await berth.stop()).code).toBe(0);
      }
    }));
});

describe('what all containers have together', () => {
  test('terminals that one takes are not missed by another', () =>
    score.row(async () => {
      const berth = await startBerth({});
      try {
        await loadBusybox(berth);
        const hold =
          'i=0; while [ $i -lt 300 ]; do eval "exec $((i + 10))<>/dev/ptmx" || break; i=$((i + 1)); done; echo $i; sleep 1000';
        await ask(berth, 'run', '-d', '--name', 'greedy', 'busybox', 'sh', '-c', hold);
        const run = await berth.docker(['run', '--rm', '-t', 'busybox', 'tty']);
        expect(run.stdout.trim()).toMatch(/^\/dev\/(pts\/0|console)$/);
        expect(await ask(berth, 'exec', '-t', 'greedy', 'echo', 'here')).toBe('here');
      } finally {
        await berth.stop();
      }
    }));
});

describe('the size of all logs', () => {
  let directories: BerthDirectories;
  let berth: Berth | undefined;
  const start = (): Promise<Berth> =>
    startBerth({ directories, job: 'logs', config: `[limits]\nlog_bytes = ${LOG_BYTES}\n` });
  showLogsOnFailure(() => (berth ? [berth] : []));
  beforeAll(async () => {
    directories = await makeDirectories();
  });
  afterAll(async () => {
    await berth?.stop();
    await removeDirectories(directories);
  });

  async function bytesOfLogs(): Promise<number> {
    const containers = join(directories.root, 'jobs/logs/containers');
    let bytes = 0;
    for (const id of await readdir(containers))
      for (const file of await readdir(join(containers, id, 'log')).catch(() => []))
        bytes += (await stat(join(containers, id, 'log', file))).size;
    return bytes;
  }

  test('counts what was there before berth was started again', () =>
    score.row(async () => {
      const flood = [
        'busybox',
        'sh',
        '-c',
        'dd if=/dev/zero bs=1k count=1536 2>/dev/null | tr "\\0" x | fold -w 100',
      ];
      berth = await start();
      await loadBusybox(berth);
      await ask(berth, 'run', '-d', '--name', 'first', ...flood);
      await ask(berth, 'wait', 'first');
      await berth.kill9();
      berth = await start();
      for (const name of ['second', 'third']) {
        await ask(berth, 'run', '-d', '--name', name, ...flood);
        await ask(berth, 'wait', name);
      }
      expect(await bytesOfLogs()).toBeLessThan(LOG_BYTES * 1.2);
      expect((await ask(berth, 'logs', '--tail', '1', 'third')).length).toBeGreaterThan(0);
    }));
});

describe('a rule for a capability and a device', () => {
  let berth: Berth;
  let registry: Registry;
  let image: string;
  beforeAll(async () => {
    registry = await startRegistry();
    image = `${registry.host}/team/tool:1`;
    await pushImage(registry, 'team/tool:1', { image: await buildImage({ cmd: ['sh'] }), kind: 'oci' });
    berth = await startBerth({
      config: `[[dind.allow_privileged]]\nimage = "${registry.host}/team/*"\ncapabilities = ["SYS_PTRACE"]\ndevices = ["/dev/fuse"]\n`,
    });
    await ask(berth, 'pull', '-q', image);
  });
  showLogsOnFailure(() => [berth]);
  afterAll(async () => {
    await berth.stop();
    await registry.stop();
  });

  test('gives these, and nothing else', () =>
    score.row(async () => {
      const asked = ['--cap-add', 'SYS_PTRACE', '--device', '/dev/fuse'];
      const look =
        'grep -E "CapEff|Seccomp:" /proc/self/status; head -c 0 /dev/fuse && echo open; mount -t tmpfs none /mnt; mknod /k c 1 11; head -c 1 /k; ls /dev';
      const { stdout } = await berth.docker(['run', '--rm', ...asked, image, 'sh', '-c', look]);
      expect(stdout).toMatch(/^CapEff:\t00000000a80c25fb$/m);
      expect(stdout).toMatch(/^Seccomp:\t2$/m);
      expect(stdout).toMatch(/^open$/m);
      expect(stdout.split('\n')).toContain('fuse');
      expect(stdout.split('\n')).not.toContain('vda');
    }));

  test.each([
    ['--cap-add', 'SYS_ADMIN'],
    ['--device', '/dev/kmsg'],
    ['--device', '/dev/fuse:/dev/kmsg:rwm', '--cap-add', 'SYS_MODULE'],
    ['--privileged', '--rm'],
    ['--security-opt', 'seccomp=unconfined'],
  ])('opens nothing beside: %s %s', (...args) =>
    score.row(async () => {
      const { code, stderr } = await berth.docker(['create', ...args, image, 'true']);
      expect(stderr).toContain('is refused');
      expect(code).toBe(1);
    }),
  );
});
