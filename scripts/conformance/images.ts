import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { buildImage, type ImageOptions, type LayerEntry } from '../../test/support/image-builder.ts';
import { machineLayer, placesOf } from '../../test/support/machine-files.ts';
import { debianLayer, type NamedImage } from '../../test/support/popular-images.ts';

const RECIPES = join(import.meta.dirname, 'recipes');
const APPLETS = ['ping', 'ip', 'nc', 'wget', 'vi', 'ifconfig', 'stty', 'route', 'killall'];
/** Accounts that images of Alpine have beside those of the tests' busybox. */
const ALPINE: readonly LayerEntry[] = [
  {
    type: 'file',
    path: 'etc/passwd',
    content: 'root:x:0:0:root:/root:/bin/sh\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\n',
  },
  { type: 'file', path: 'etc/group', content: 'root:x:0:root\npostgres:x:70:\n' },
  { type: 'directory', path: 'var/opt' },
];

/**
 * The images that the suites name (`server`: the program in testcontainers' own image, if they name that), made of this machine's programs. What is called Alpine here is busybox; package
 * managers in them do nothing, since what they would install is there.
 */
export async function conformanceImages(server?: Buffer): Promise<readonly NamedImage[]> {
  const debian = await debianLayer();
  const tools = await toolsLayer(placesOf(debian));
  const without = placesOf([...debian, ...tools]);
  const layered = async (
    names: readonly string[],
    layers: readonly (readonly LayerEntry[])[],
    options: ImageOptions,
  ): Promise<NamedImage> => ({
    names,
    image: await buildImage({ base: 'scratch', layers: [debian, tools, ...layers], ...options }),
  });
  const node = await nodeLayer(without);
  return [
    { names: ['library/busybox:latest'], image: await buildImage({ cmd: ['sh'] }) },
    {
      names: ['3.10', '3.14', 'latest'].map((tag) => `library/alpine:${tag}`),
      image: await buildImage({ layers: [ALPINE], cmd: ['/bin/sh'] }),
    },
    {
      names: ['library/hello-world:latest'],
      image: await buildImage({ cmd: ['echo', 'Hello from Docker!'], labels: { of: 'hello-world' } }),
    },
    await layered(['library/ubuntu:latest'], [], { cmd: ['bash'] }),
    await layered(['library/node:10-alpine', 'library/node:latest'], [node], { cmd: ['node'] }),
    ...(server
      ? [
          await layered(
            ['cristianrgreco/testcontainer:1.1.14', 'cristianrgreco/testcontainer:1.1.12'],
            [node, await certificateLayer(), [{ type: 'file', path: 'index.js', content: server }]],
            {
              entrypoint: ['/usr/bin/dumb-init', '--'],
              cmd: ['node', 'index.js'],
              exposedPorts: ['8080/tcp'],
            },
          ),
        ]
      : []),
    await layered(['testcontainers/ryuk:0.14.0'], [node, [await ryuk()]], {
      cmd: ['node', '/app/ryuk.cjs'],
      exposedPorts: ['8080/tcp'],
    }),
    await layered(['mendhak/udp-listener:latest'], [node, [await recipe('udp-listener.cjs', 0o644)]], {
      cmd: ['node', '/udp-listener.cjs'],
      exposedPorts: ['5005/udp'],
    }),
    await layered(['testcontainers/sshd:1.3.0'], [await sshdLayer(without)], {
      cmd: ['/sshd-entrypoint.sh'],
      exposedPorts: ['22/tcp'],
    }),
    await layered(['alpine/socat:1.7.4.3-r0'], [await machineLayer(['/usr/bin/socat'], { without })], {
      entrypoint: ['socat'],
      cmd: ['-h'],
    }),
  ];
}

async function toolsLayer(without: ReadonlySet<string>): Promise<readonly LayerEntry[]> {
  const programs = [
    '/usr/bin/curl',
    '/usr/bin/dumb-init',
    '/usr/sbin/getpcaps',
    '/usr/bin/openssl',
    '/usr/bin/uptime',
  ];
  const settings = ['/usr/lib/ssl/openssl.cnf', '/bin/busybox', '/usr/bin/ps'];
  const layer = await machineLayer([...programs, ...settings], { without });
  const applets = APPLETS.map((name): LayerEntry => ({
    type: 'symlink',
    path: `usr/bin/${name}`,
    target: '/bin/busybox',
  }));
  const managers = ['apk', 'npm'].map((name): LayerEntry => ({
    type: 'file',
    path: `usr/local/bin/${name}`,
    mode: 0o755,
    content: '#!/bin/sh\n',
  }));
  const directories = ['etc/ssl/private', 'etc/ssl/certs', 'opt'].map((path): LayerEntry => ({
    type: 'directory',
    path,
  }));
  return [...layer, ...directories, ...applets, ...managers];
}

async function nodeLayer(without: ReadonlySet<string>): Promise<readonly LayerEntry[]> {
  const files = await machineLayer([process.execPath], { without });
  // A link's mode is that of its file.
  const program: LayerEntry = {
    type: 'link',
    path: 'usr/local/bin/node',
    target: process.execPath.slice(1),
    mode: 0o755,
  };
  const express = await build({
    entryPoints: ['express'],
    ...{ bundle: true, platform: 'node', format: 'cjs', write: false, minify: true },
  });
  const content = Buffer.from(express.outputFiles[0]?.contents ?? []);
  return [
    ...files,
    ...(process.execPath === '/usr/local/bin/node' ? [] : [program]),
    { type: 'directory', path: 'node_modules' },
    { type: 'directory', path: 'node_modules/express' },
    { type: 'file', path: 'node_modules/express/index.js', content },
  ];
}

/** Key and certificate where the server of testcontainers' image looks for them. */
async function certificateLayer(): Promise<readonly LayerEntry[]> {
  const request = [
    'req',
    '-x509',
    '-nodes',
    '-days',
    '36500',
    '-subj',
    '/CN=localhost',
    '-newkey',
    'rsa:2048',
  ];
  const { stdout } = await promisify(execFile)('openssl', [...request, '-keyout', '-', '-out', '-']);
  const [key = ''] = /-----BEGIN PRIVATE KEY-----.*-----END PRIVATE KEY-----\n/s.exec(stdout) ?? [];
  const [certificate = ''] = /-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----\n/s.exec(stdout) ?? [];
  return [
    { type: 'file', path: 'etc/ssl/private/cert.key', content: key },
    { type: 'file', path: 'etc/ssl/certs/cert.crt', content: certificate },
  ];
}

async function sshdLayer(without: ReadonlySet<string>): Promise<readonly LayerEntry[]> {
  return [
    ...(await machineLayer(['/usr/sbin/sshd', '/usr/bin/ssh-keygen', '/usr/bin/openssl'], { without })),
    await recipe('sshd-entrypoint.sh', 0o755),
  ];
}

async function ryuk(): Promise<LayerEntry> {
  const content = await readFile(join(import.meta.dirname, '../../test/support/popular/ryuk.cjs'));
  return { type: 'file', path: 'app/ryuk.cjs', content };
}

async function recipe(name: string, mode: number): Promise<LayerEntry> {
  return { type: 'file', path: name, mode, content: await readFile(join(RECIPES, name)) };
}
