import { describe, expect, it } from 'vitest';
import { admitBody } from '../../test/support/gate-fixtures.ts';
import type { ImageRunConfig } from './image-config.ts';
import { mergeImageConfig, type MergedConfig } from './merge-image-config.ts';

const IMAGE: ImageRunConfig = {
  user: 'web',
  exposedPorts: ['80/tcp'],
  env: ['PATH=/bin', 'LANG=C'],
  entrypoint: undefined,
  cmd: undefined,
  volumes: ['/data'],
  workingDir: '/srv',
  labels: { a: 'image', b: 'image' },
  stopSignal: 'SIGQUIT',
  stopTimeout: 3,
  shell: undefined,
  onBuild: ['RUN evil'],
  healthcheck: {
    test: ['CMD', 'probe'],
    interval: 5e9,
    timeout: 0,
    startPeriod: 0,
    startInterval: 0,
    retries: 3,
  },
};

function merge(asked: object, image: Partial<ImageRunConfig> = {}): MergedConfig {
  return mergeImageConfig(admitBody(asked).admitted.config, { config: { ...IMAGE, ...image } });
}

describe('the program', () => {
  const image = { entrypoint: ['e'], cmd: ['c'] };
  it.each<[string, { asked: object; image: Partial<ImageRunConfig> }, readonly string[]]>([
    ['nothing asked', { asked: {}, image }, ['e', 'c']],
    ['a command', { asked: { Cmd: ['x'] }, image }, ['e', 'x']],
    ['a command as a string', { asked: { Cmd: 'x y' }, image }, ['e', 'x y']],
    ['an entrypoint hides the command of the image', { asked: { Entrypoint: ['y'] }, image }, ['y']],
    ['both', { asked: { Entrypoint: ['y'], Cmd: ['x'] }, image }, ['y', 'x']],
    ['an empty entrypoint list', { asked: { Entrypoint: [], Cmd: ['x'] }, image }, ['x']],
    ['an entrypoint of nothing', { asked: { Entrypoint: [''], Cmd: ['x'] }, image }, ['x']],
    ['an empty entrypoint list with the command of the image', { asked: { Entrypoint: [] }, image }, ['c']],
    ['an empty command', { asked: { Cmd: [] }, image }, ['e', 'c']],
    ['an image with an entrypoint of nothing', { asked: { Cmd: ['x'] }, image: { entrypoint: [''] } }, ['x']],
  ])('%s', (_, { asked, image }, argv) => {
    expect(merge(asked, image).argv).toEqual(argv);
  });

  it.each<[string, object, Partial<ImageRunConfig>]>([
    ['nothing anywhere', {}, {}],
    ['an entrypoint of nothing', { Entrypoint: [''] }, { entrypoint: ['e'], cmd: ['c'] }],
    ['empty lists', { Entrypoint: [], Cmd: [] }, {}],
  ])('%s is refused', (_, asked, image) => {
    expect(() => merge(asked, image)).toThrow(
      expect.objectContaining({ kind: 'InvalidArgument', message: 'no command specified' }),
    );
  });
});

describe('the rest', () => {
  it('comes from the image where nothing is asked', () => {
    expect(merge({}, { cmd: ['c'] }).config).toMatchObject({
      User: 'web',
      WorkingDir: '/srv',
      Env: ['PATH=/bin', 'LANG=C'],
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      Labels: { a: 'image', b: 'image' },
      StopSignal: 'SIGQUIT',
      StopTimeout: 3,
      Healthcheck: { Test: ['CMD', 'probe'], Interval: 5e9, Retries: 3 },
      OnBuild: null,
    });
  });

  it('is the request where it asks, joined with the image in maps', () => {
    const { config } = merge({
      Cmd: ['c'],
      User: '0',
      WorkingDir: '/x',
      Env: ['LANG=de', 'PATH'],
      ExposedPorts: { '81/udp': {} },
      Volumes: { '/more': {} },
      Labels: { a: 'mine', constructor: 'x' },
      StopSignal: '9',
      StopTimeout: 0,
      Healthcheck: { Test: ['NONE'], Retries: 7 },
    });
    expect(config).toMatchObject({
      User: '0',
      WorkingDir: '/x',
      Env: ['LANG=de', 'PATH'],
      ExposedPorts: { '80/tcp': {}, '81/udp': {} },
      Volumes: { '/data': {}, '/more': {} },
      Labels: { a: 'mine', b: 'image', constructor: 'x' },
      StopSignal: '9',
      StopTimeout: 0,
      Healthcheck: { Test: ['NONE'], Interval: 5e9, Retries: 7 },
    });
  });

  it('has no empty members that dockerd leaves out', () => {
    const { config } = merge(
      { Cmd: ['c'] },
      { exposedPorts: [], volumes: [], stopSignal: '', stopTimeout: undefined, healthcheck: undefined },
    );
    expect(config.Volumes).toBeNull();
    for (const name of ['ExposedPorts', 'StopSignal', 'StopTimeout', 'Shell', 'Healthcheck']) {
      expect(config).not.toHaveProperty(name);
    }
  });

  it('refuses a stop signal that is none', () => {
    expect(() => merge({ Cmd: ['c'], StopSignal: 'SIGNOPE' })).toThrow('invalid signal: SIGNOPE');
    expect(() => merge({ Cmd: ['c'] }, { stopSignal: 'SIGNOPE' })).toThrow('invalid signal: SIGNOPE');
  });
});
