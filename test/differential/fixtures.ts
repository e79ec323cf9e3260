import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';

/** Images that both daemons load: a plain busybox, and one whose configuration says all that one can say. */
export async function imageArchive(): Promise<Buffer> {
  const plain = await buildImage({ cmd: ['sh'] });
  const full = await buildImage({
    layers: [[{ type: 'file', path: 'data/seed', content: 'seed\n' }]],
    entrypoint: ['/bin/sh', '-c'],
    cmd: ['echo full'],
    env: ['FROM_IMAGE=yes'],
    user: 'builder',
    workingDir: '/home/builder',
    volumes: ['/data'],
    exposedPorts: ['80/tcp', '53/udp'],
    labels: { origin: 'image', tier: 'test' },
    stopSignal: 'SIGINT',
    healthcheck: { Test: ['CMD', 'true'], Interval: 60_000_000_000 },
  });
  return dockerArchive([
    { image: plain, tags: ['busybox:latest'] },
    { image: full, tags: ['full:1'] },
  ]);
}
