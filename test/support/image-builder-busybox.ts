import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { LayerEntry } from './image-builder.ts';

const run = promisify(execFile);

/** Users of the image, for tests of users by name, by number and of groups. */
const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
builder:x:1000:1000:a user of the image:/home/builder:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
`;

const group = `root:x:0:
daemon:x:1:
wheel:x:10:root,builder
docker:x:999:builder
builder:x:1000:
nogroup:x:65534:
`;

const openDirectories = ['tmp', 'var/tmp'];
const plainDirectories = [
  'dev',
  'etc',
  'home',
  'lib',
  'proc',
  'root',
  'run',
  'sys',
  'usr/local/bin',
  'var/log',
];

/** A root filesystem of the machine's static busybox: every applet as a link, users, groups, the usual directories. */
export async function busyboxEntries(): Promise<LayerEntry[]> {
  const program = await findBusybox();
  const { stdout } = await run(program, ['--list-full']);
  const applets = stdout.split('\n').filter((path) => path !== '' && path !== 'bin/busybox');
  const directories = new Set<string>();
  for (const path of [...plainDirectories, ...openDirectories, ...applets.map((applet) => dirname(applet))]) {
    for (const one of withParents(path)) directories.add(one);
  }
  return [
    ...[...directories].sort().map((path): LayerEntry => {
      return { type: 'directory', path, mode: openDirectories.includes(path) ? 0o1777 : 0o755 };
    }),
    { type: 'directory', path: 'home/builder', uid: 1000, gid: 1000 },
    { type: 'file', path: 'bin/busybox', content: await readFile(program), mode: 0o755 },
    ...applets.map((path): LayerEntry => ({ type: 'symlink', path, target: '/bin/busybox' })),
    { type: 'file', path: 'etc/passwd', content: passwd },
    { type: 'file', path: 'etc/group', content: group },
  ];
}

async function findBusybox(): Promise<string> {
  for (const path of ['/bin/busybox', '/usr/bin/busybox']) {
    try {
      return await realpath(path);
    } catch {
      // Looked for in the next place.
    }
  }
  throw new Error('no busybox on this machine: scripts/setup installs busybox-static');
}

function withParents(path: string): string[] {
  if (path === '.') return [];
  return [...withParents(dirname(path)), path];
}
