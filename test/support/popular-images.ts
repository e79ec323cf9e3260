import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, type BuiltImage, type ImageOptions, type LayerEntry } from './image-builder.ts';
import { machineLayer, placesOf, programsOf } from './machine-files.ts';

/** Debian packages that the images are made of; their versions are what an image is remade for. */
export const PACKAGES = [
  ...['bash', 'dash', 'coreutils', 'grep', 'sed', 'findutils', 'hostname', 'mawk', 'libc-bin', 'base-files'],
  ...['util-linux', 'postgresql-15', 'postgresql-client-15', 'redis-server', 'redis-tools', 'nginx-light'],
  ...['busybox-static'],
] as const;

/** An image under the names that people know it by. */
export interface NamedImage {
  /** `library/postgres:15` and so on, as in Docker Hub's API. */
  readonly names: readonly string[];
  readonly image: BuiltImage;
}

const RECIPES = join(import.meta.dirname, 'popular');
const POSTGRES = '/usr/lib/postgresql/15';
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Server languages and the compiler of queries: large, and no test's business. */
const POSTGRES_EXTRAS = /\/(?:bitcode|llvmjit[^/]*|[^/]*pl(?:perl|python|tcl)[^/]*)(?:\/|$)/;

/** All of them, as layers of one another where they are so in life. */
export async function buildPopularImages(): Promise<readonly NamedImage[]> {
  const base = await debianLayer();
  const without = placesOf(base);
  const build = async (
    names: readonly string[],
    layers: readonly (readonly LayerEntry[])[],
    options: ImageOptions,
  ): Promise<NamedImage> => ({
    names,
    image: await buildImage({ base: 'scratch', layers: [base, ...layers], ...options }),
  });
  const node = await machineLayer([process.execPath], { without });
  const nodeFiles: LayerEntry = { type: 'symlink', path: 'usr/local/bin/node', target: process.execPath };
  const nodeLayer = process.execPath === '/usr/local/bin/node' ? node : [...node, nodeFiles];
  return [
    {
      names: ['library/busybox:latest', 'library/alpine:latest', 'library/alpine:3.20'],
      image: await buildImage({ cmd: ['sh'] }),
    },
    await build(['library/debian:latest', 'library/debian:bookworm-slim'], [], { cmd: ['bash'] }),
    await build(
      ['library/postgres:latest', 'library/postgres:15'],
      [await postgresLayer(without)],
      POSTGRES_IMAGE,
    ),
    await build(['library/redis:latest', 'library/redis:7'], [await redisLayer(without)], REDIS_IMAGE),
    await build(['library/nginx:latest', 'library/nginx:1.22'], [await nginxLayer(without)], NGINX_IMAGE),
    await build(['library/node:latest', 'library/node:20'], [nodeLayer], {
      cmd: ['node'],
      env: ['NODE_VERSION=20'],
    }),
    await build(['testcontainers/ryuk:0.14.0'], [nodeLayer, [await recipe('ryuk.cjs', 'app/ryuk.cjs')]], {
      cmd: ['node', '/app/ryuk.cjs'],
      exposedPorts: ['8080/tcp'],
    }),
  ];
}

const POSTGRES_IMAGE: ImageOptions = {
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['postgres'],
  env: [`PATH=${POSTGRES}/bin:${SYSTEM_PATH}`, 'PGDATA=/var/lib/postgresql/data', 'PG_MAJOR=15'],
  volumes: ['/var/lib/postgresql/data'],
  exposedPorts: ['5432/tcp'],
  stopSignal: 'SIGINT',
};
const REDIS_IMAGE: ImageOptions = {
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['redis-server'],
  volumes: ['/data'],
  workingDir: '/data',
  exposedPorts: ['6379/tcp'],
};
const NGINX_IMAGE: ImageOptions = {
  cmd: ['nginx', '-g', 'daemon off;'],
  exposedPorts: ['80/tcp'],
  stopSignal: 'SIGQUIT',
};

async function recipe(name: string, path: string): Promise<LayerEntry> {
  const mode = name.endsWith('.sh') ? 0o755 : 0o644;
  return { type: 'file', path, mode, content: await readFile(join(RECIPES, name)) };
}

/** What images of Debian have as their base: a shell, the usual programs, directories and accounts. */
export async function debianLayer(): Promise<readonly LayerEntry[]> {
  const packages = ['bash', 'dash', 'coreutils', 'grep', 'sed', 'findutils', 'hostname', 'mawk', 'libc-bin'];
  const programs = await programsOf(...packages);
  const more = ['/bin/sh', '/usr/bin/awk', '/usr/bin/setpriv', '/usr/lib/locale/C.utf8', '/etc/os-release'];
  const files = await machineLayer([...programs, ...more]);
  const known = new Set(files.map(({ path }) => path));
  const empty: readonly LayerEntry[] = [
    ...['dev', 'home', 'proc', 'root', 'run', 'sys', 'var/lib', 'var/log', 'usr/local/bin', 'srv'].map(
      (path): LayerEntry => ({ type: 'directory', path }),
    ),
    ...['tmp', 'var/tmp'].map((path): LayerEntry => ({ type: 'directory', path, mode: 0o1777 })),
    ...['bin', 'sbin', 'lib', 'lib64'].map((path): LayerEntry => ({
      type: 'symlink',
      path,
      target: `usr/${path}`,
    })),
    { type: 'symlink', path: 'var/run', target: '/run' },
    { type: 'file', path: 'etc/passwd', content: PASSWD },
    { type: 'file', path: 'etc/group', content: GROUP },
    { type: 'file', path: 'etc/nsswitch.conf', content: 'passwd: files\ngroup: files\nhosts: files dns\n' },
  ];
  return [...files, ...empty.filter(({ path }) => !known.has(path))];
}

async function postgresLayer(without: ReadonlySet<string>): Promise<readonly LayerEntry[]> {
  const programs = ['postgres', 'initdb', 'psql', 'pg_ctl', 'pg_isready', 'createdb', 'dropdb', 'pg_dump'];
  const zones = ['/usr/share/zoneinfo/UTC', '/usr/share/zoneinfo/GMT', '/usr/share/zoneinfo/Etc'];
  const paths = [
    ...programs.map((name) => `${POSTGRES}/bin/${name}`),
    `${POSTGRES}/lib`,
    '/usr/share/postgresql/15',
    ...zones,
  ];
  return [
    ...(await machineLayer(paths, { exclude: POSTGRES_EXTRAS, without })),
    { type: 'directory', path: 'docker-entrypoint-initdb.d' },
    { type: 'directory', path: 'var/lib/postgresql', uid: 999, gid: 999 },
    { type: 'directory', path: 'var/lib/postgresql/data', uid: 999, gid: 999, mode: 0o700 },
    await recipe('postgres-entrypoint.sh', 'usr/local/bin/docker-entrypoint.sh'),
  ];
}

async function redisLayer(without: ReadonlySet<string>): Promise<readonly LayerEntry[]> {
  return [
    ...(await machineLayer(['/usr/bin/redis-server', '/usr/bin/redis-cli'], { without })),
    { type: 'directory', path: 'data', uid: 999, gid: 999 },
    await recipe('redis-entrypoint.sh', 'usr/local/bin/docker-entrypoint.sh'),
  ];
}

async function nginxLayer(without: ReadonlySet<string>): Promise<readonly LayerEntry[]> {
  const page = '<!DOCTYPE html><title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>\n';
  return [
    ...(await machineLayer(['/usr/sbin/nginx', '/etc/nginx/mime.types'], { without })),
    ...['var/lib/nginx', 'var/log/nginx'].map((path): LayerEntry => ({ type: 'directory', path })),
    { type: 'file', path: 'usr/share/nginx/html/index.html', content: page },
    await recipe('nginx.conf', 'etc/nginx/nginx.conf'),
  ];
}

const PASSWD = `root:x:0:0:root:/root:/bin/bash
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
postgres:x:999:999::/var/lib/postgresql:/bin/bash
node:x:1000:1000::/home/node:/bin/bash
`;
const GROUP = `root:x:0:
www-data:x:33:
nogroup:x:65534:
postgres:x:999:
node:x:1000:
`;
