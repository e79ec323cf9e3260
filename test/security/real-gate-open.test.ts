import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHostCgroups } from '../../src/host/cgroups.ts';
import { listHostDevices } from '../../src/host/devices.ts';
import { readHostFacts } from '../../src/host/facts.ts';
import { startDockerd, type DockerdOracle } from '../support/dockerd-oracle.ts';
import { useJob } from '../support/e2e-job.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';

// With the gate open, a container is from the inside what dockerd makes of it. A privileged one is compared with the
// machine itself, for dockerd starts none where it lacks a capability.

const job = useJob({ config: '[dind]\nallow_privileged = true\n' });
let oracle: DockerdOracle | undefined;

beforeAll(async () => {
  oracle = await startDockerd();
  const input = await dockerArchive([{ image: await buildImage({ cmd: ['sh'] }), tags: ['busybox:latest'] }]);
  const loaded = await oracle.docker(['load'], { input });
  expect(loaded.code, loaded.stderr).toBe(0);
});
afterAll(() => oracle?.stop());

const QUESTIONS: Readonly<Record<string, string>> = {
  'its capabilities, filter and flags': "grep -E '^(Cap|Seccomp|NoNewPrivs)' /proc/self/status",
  'its AppArmor profile': 'cat /proc/self/attr/current 2>/dev/null || echo none',
  'its devices':
    'cd /dev; find . -type b -o -type c | grep -vE "^./(pts/|console|tty$)" | sort | xargs stat -c "%n %t:%T %a"',
  'its device rules': 'cat /sys/fs/cgroup/devices/devices.list 2>/dev/null || echo none',
  'the kernel in its file systems':
    "awk '{print $5, $6, $(NF-2)}' /proc/self/mountinfo | sed 's/seclabel,//' | grep -vE ' ext4$|^/ ' | sort",
  'what it may write':
    'for f in /sys/fs/cgroup/memory /proc/sys/kernel /sys/kernel /proc/irq; do [ -w $f ] && echo $f; done',
  'a cgroup of its own':
    'mkdir /sys/fs/cgroup/memory/inner && rmdir /sys/fs/cgroup/memory/inner && echo made',
  'a mount of its own':
    'mount -t tmpfs none /mnt 2>&1 || { mkdir -p /mnt; mount -t tmpfs none /mnt; } && grep -c " /mnt " /proc/mounts',
};

describe.each<[string, readonly string[]]>([
  ['with capabilities', ['--cap-add', 'SYS_ADMIN', '--cap-add', 'NET_ADMIN']],
  ['without a filter', ['--security-opt', 'seccomp=unconfined']],
  ['with paths of the system', ['--security-opt', 'systempaths=unconfined']],
  ['with a device', ['--device', '/dev/fuse:/dev/fuse:rw']],
])('a container %s', (_, flags) => {
  test.each(Object.entries(QUESTIONS))('has %s', async (_name, script) => {
    const args = ['run', '--rm', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script];
    const ours = await job.berth.docker(args);
    const theirs = await oracle?.docker(args);
    // Newer versions of dockerd mask this file, too.
    const output = ours.stdout.replace(/^\/proc\/interrupts .*\n/m, '');
    expect([ours.code, output]).toEqual([theirs?.code, theirs?.stdout]);
  });
});

describe('a privileged container', () => {
  const inside = async (script: string, ...flags: readonly string[]): Promise<string> => {
    const args = ['run', '--rm', '--privileged', ...flags, 'busybox', 'sh', '-c', script];
    const { code, stdout, stderr } = await job.berth.docker(args);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };

  test('has every capability that can be given, and no filter', async () => {
    const { boundingSet } = await readHostFacts(await createHostCgroups());
    const all = boundingSet.toString(16).padStart(16, '0');
    const show = (name: string): string => `grep '^${name}:' /proc/self/status | cut -f 2`;
    const script = ['CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb', 'Seccomp', 'NoNewPrivs']
      .map(show)
      .join(';');
    const none = '0'.repeat(16);
    expect((await inside(script)).split('\n')).toEqual([all, all, all, none, none, '0', '0']);
    // As with dockerd, a capability that is dropped beside is not.
    expect(await inside(show('CapEff'), '--cap-drop', 'CHOWN')).toBe(all);
  });

  test('has the devices of the machine, and may make any', async () => {
    const devices = await inside(
      'cd /dev; find . -type b -o -type c | grep -vE "^./(pts/|console$|tty$|ptmx$)"',
    );
    const own = new Set(devices.split('\n'));
    for (const name of (await listHostDevices()).map(({ path }) => path.replace('/dev/', './')))
      expect([name, own.has(name) || /^\.\/(pts\/|console$|tty$|ptmx$)/.test(name)]).toEqual([name, true]);
    expect(
      await inside('mknod /node b 7 0 && dd if=/node of=/dev/null bs=1 count=0 2>/dev/null && echo opened'),
    ).toBe('opened');
  });

  test('has nothing of the kernel masked or read-only', async () => {
    const mounts = await inside("awk '{print $5, $6, $(NF-2)}' /proc/self/mountinfo");
    const ofKernel = mounts.split('\n').filter((line) => /^\/(proc|sys)(\/| )/.test(line));
    expect(
      ofKernel.filter(
        (line) => / ro[, ]/.test(line) || (line.endsWith(' tmpfs') && !line.startsWith('/sys/fs/cgroup ')),
      ),
    ).toEqual([]);
    expect(ofKernel.filter((line) => line.startsWith('/proc/'))).toEqual([]);
    expect(
      await inside('mkdir /sys/fs/cgroup/memory/inner && rmdir /sys/fs/cgroup/memory/inner && echo made'),
    ).toBe('made');
    expect(await inside('mkdir -p /mnt && mount -t tmpfs none /mnt && umount /mnt && echo mounted')).toBe(
      'mounted',
    );
  });
});
