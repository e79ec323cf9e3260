import { expect, test } from 'vitest';
import { hideHostPaths } from './hide-host-paths.ts';

test.each([
  [
    'write /sys/fs/cgroup/cpuset/berth/a/b/cpuset.mems: invalid argument',
    'write (host path): invalid argument',
  ],
  ['mount "/var/lib/berth/jobs/a/binds/3" to "/data"', 'mount "(host path)" to "/data"'],
  ['open /x/state/io.containerd.runtime.v2.task/ns/id/log.json', 'open (host path)'],
  ['stat /proc/1234/ns/net, /run/netns/berth-a', 'stat (host path), (host path)'],
  [
    'exec: "/proc/self/exe": /tmp/runc-process12: permission denied',
    'exec: "/proc/self/exe": (host path): permission denied',
  ],
  ['exec: "/bin/app": stat /bin/app: no such file', 'exec: "/bin/app": stat /bin/app: no such file'],
  ['/var/lib/berthold and /run/containers stay', '/var/lib/berthold and /run/containers stay'],
])('%s', (message, expected) => {
  expect(hideHostPaths(message, ['/var/lib/berth'])).toBe(expected);
});
