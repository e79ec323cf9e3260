import type { Request, RequestTable } from '../request.ts';

const MAKE =
  'mkdir -p /w/dir/sub; echo text > /w/file; chmod 640 /w/file; ln -s file /w/link; ln -s /nope /w/broken; ' +
  'ln -s dir /w/dirlink; mkfifo /w/fifo; rm /etc/group; chown 1000:1000 /w/dir';

const PATHS = [
  '/w',
  '/w/',
  '/w/.',
  '/w/file',
  '/w/file/',
  '/w/link',
  '/w/broken',
  '/w/dirlink',
  '/w/dirlink/',
  'w/file',
  '/nope',
  '/w/file/x',
  '/w/fifo',
  '/w/../w/file',
  '',
];

/** What a container has that its image has not. */
const BEGUN = [
  '/.dockerenv',
  '/etc/hosts',
  '/etc/hostname',
  '/etc/resolv.conf',
  '/etc/mtab',
  '/dev/console',
  '/dev/shm',
];

const archive = (name: string): readonly Request[] =>
  PATHS.flatMap((path): readonly Request[] => [
    { ask: `HEAD /containers/${name}/archive?path=${path}` },
    { ask: `GET /containers/${name}/archive?path=${path}` },
  ]);

/** A tar with one file of the content. */
function tarOf(name: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0001750\0', 108);
  header.write('0001750\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        0', 148);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

/** The root by names that differ in what is called what in the archive. */
const ROOTS = ['/', '/.', '.', './', '/./', '/w/./'];

const TAR = { 'Content-Type': 'application/x-tar' };

/** Copying into and out of containers, and what has changed in one. */
export const files: RequestTable = {
  title: 'files',
  requests: [
    {
      ask: 'POST /containers/create?name=files',
      json: { Image: 'busybox', Cmd: ['sh', '-c', MAKE], Volumes: { '/volume': {} } },
    },
    { ask: 'GET /containers/files/changes' },
    ...ROOTS.map((path): Request => ({ ask: `HEAD /containers/files/archive?path=${path}` })),
    ...BEGUN.flatMap((path): readonly Request[] => [
      { ask: `HEAD /containers/files/archive?path=${path}` },
      { ask: `GET /containers/files/archive?path=${path}` },
    ]),
    { ask: 'GET /containers/files/changes' },
    { ask: 'POST /containers/files/start' },
    { ask: 'POST /containers/files/wait' },
    { ask: 'GET /containers/files/changes', unordered: true },
    ...archive('files'),
    { ask: 'GET /containers/files/archive' },
    { ask: 'HEAD /containers/files/archive' },
    { ask: 'PUT /containers/files/archive' },
    { ask: 'PUT /containers/files/archive?path=/w', raw: tarOf('new', 'new\n'), headers: TAR },
    { ask: 'PUT /containers/files/archive?path=/w', raw: tarOf('dir', 'no directory\n'), headers: TAR },
    {
      ask: 'PUT /containers/files/archive?path=/w&noOverwriteDirNonDir=1',
      raw: tarOf('sub', 'x'),
      headers: TAR,
    },
    { ask: 'PUT /containers/files/archive?path=/w/new', raw: tarOf('x', 'x'), headers: TAR },
    { ask: 'PUT /containers/files/archive?path=/nope', raw: tarOf('x', 'x'), headers: TAR },
    { ask: 'PUT /containers/files/archive?path=/w', raw: 'this is no tar', headers: TAR },
    { ask: 'PUT /containers/files/archive?path=/w', raw: '', headers: TAR },
    { ask: 'PUT /containers/files/archive?path=/volume&copyUIDGID=1', raw: tarOf('x', 'x'), headers: TAR },
    { ask: 'GET /containers/files/archive?path=/w/new' },
    { ask: 'GET /containers/files/archive?path=/volume' },
    { ask: 'HEAD /containers/files/archive?path=/volume/x' },
    { ask: 'DELETE /containers/files?v=1' },
    {
      ask: 'POST /containers/create?name=readonly',
      json: {
        Image: 'busybox',
        HostConfig: { ReadonlyRootfs: true, Binds: ['copied:/data:ro', 'open:/open'] },
      },
    },
    { ask: 'PUT /containers/readonly/archive?path=/tmp', raw: tarOf('x', 'x'), headers: TAR },
    { ask: 'PUT /containers/readonly/archive?path=/data', raw: tarOf('x', 'x'), headers: TAR },
    { ask: 'PUT /containers/readonly/archive?path=/open', raw: tarOf('x', 'x'), headers: TAR },
    { ask: 'DELETE /containers/readonly?v=1' },
    { ask: 'DELETE /volumes/copied' },
    { ask: 'DELETE /volumes/open' },
  ],
};
