import { expect, test } from 'vitest';
import { encodeImageConfig } from './encode-image-config.ts';
import { NO_RUN_CONFIG, parseImageConfig, type ImageConfig } from './image-config.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const bare: ImageConfig = {
  platform: { os: 'linux', architecture: 'amd64', variant: '' },
  osVersion: '',
  created: '',
  author: '',
  comment: '',
  dockerVersion: '',
  config: NO_RUN_CONFIG,
  origin: undefined,
  diffIds: [],
  history: [],
};

const full: ImageConfig = {
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  osVersion: '1.2',
  created: '2024-01-02T03:04:05.123456789Z',
  author: 'somebody',
  comment: 'why',
  dockerVersion: '28.0.0',
  config: {
    user: '1:2',
    exposedPorts: ['80/tcp', '53/udp'],
    env: ['A=b', 'C='],
    entrypoint: ['/init'],
    cmd: [],
    volumes: ['/data'],
    workingDir: '/work',
    labels: { name: 'value', __proto__x: 'y' },
    stopSignal: 'SIGINT',
    stopTimeout: 3,
    shell: ['/bin/bash', '-c'],
    onBuild: ['RUN true'],
    healthcheck: {
      test: ['CMD', 'true'],
      interval: 1,
      timeout: 2,
      startPeriod: 3,
      startInterval: 4,
      retries: 5,
    },
  },
  origin: {
    containerId: 'f'.repeat(64),
    hostname: 'host',
    image: 'base:1',
    config: { ...NO_RUN_CONFIG, cmd: ['sh'] },
  },
  diffIds: [DIGEST],
  history: [
    {
      created: '2024-01-01T00:00:00Z',
      createdBy: 'sh -c x',
      author: 'a',
      comment: 'c',
      emptyLayer: false,
    },
    { created: '', createdBy: '', author: '', comment: '', emptyLayer: true },
  ],
};

test.each([
  ['that says nothing', bare],
  ['that says all', full],
])('a configuration %s is read back as it was', (_, config) => {
  expect(parseImageConfig(encodeImageConfig(config))).toEqual(config);
});

test('what is not said is not written', () => {
  expect(JSON.parse(Buffer.from(encodeImageConfig(bare)).toString())).toEqual({
    architecture: 'amd64',
    os: 'linux',
    config: { Env: [] },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  });
});
