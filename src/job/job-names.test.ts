import { describe, expect, test } from 'vitest';
import { loadCommandLine } from '../config/load.ts';
import { jobNames } from './job-names.ts';

const { settings } = loadCommandLine(['--root', '/r', '--run-dir', '/run/b'], 'serve');

describe('job names', () => {
  test('follow from the id', () => {
    expect(jobNames(settings, 'build-7')).toMatchObject({
      slug: 'build-7',
      namespace: 'berth-build-7',
      cgroupPath: '/berth/build-7',
      lockFile: '/r/jobs/build-7/lock',
      paths: { socket: '/run/b/build-7/docker.sock', controlSocket: '/run/b/build-7/control.sock' },
    });
  });

  test('an id that containerd would not take becomes a digest, another one for each id', () => {
    const [first, second] = [jobNames(settings, 'a..b'), jobNames(settings, 'a.-b')];
    expect(first.namespace).toMatch(/^berth-[0-9a-f]{16}$/);
    expect(first.namespace).not.toBe(second.namespace);
  });

  test.each(['', '.', '..', '../x', 'a/b', '-a', 'a b', 'a\0', 'x'.repeat(64), 'ü'])(
    '%j is refused',
    (id) => {
      expect(() => jobNames(settings, id)).toThrow('invalid job id');
    },
  );
});
