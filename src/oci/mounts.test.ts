import { describe, expect, it } from 'vitest';
import { hostSpec, mountAt, SPEC_HOST } from '../../test/support/spec-fixtures.ts';
import { tmpfsOptionsOf } from './mounts.ts';

describe('mounts', () => {
  const bind = (destination: string, isReadWrite = true) =>
    ({ type: 'bind', hostPath: `/staged${destination}`, destination, isReadWrite }) as const;

  it('come parents first, read-only all the way down, and never shared', () => {
    const spec = hostSpec({ Tmpfs: { '/a/b': 'size=1k' } }, { mounts: [bind('/a/b/c', false), bind('/a')] });
    const order = spec.mounts.map(({ destination }) => destination).filter((path) => path.startsWith('/a'));
    expect(order).toEqual(['/a', '/a/b', '/a/b/c']);
    expect(mountAt(spec, '/a/b/c')?.options).toEqual(['rbind', 'rro', 'rprivate']);
    expect(mountAt(spec, '/a')).toMatchObject({ source: '/staged/a', options: ['rbind', 'rw', 'rprivate'] });
    expect(mountAt(spec, '/a/b')?.options).toEqual(['noexec', 'nosuid', 'nodev', 'rprivate', 'size=1k']);
  });

  it("come before the kernel's own, but for those below them", () => {
    const spec = hostSpec(
      { Tmpfs: { '/dev/shm': '', '/device': '' } },
      { mounts: [bind('/dev/x'), bind('/a')] },
    );
    const order = spec.mounts.map(({ destination }) => destination);
    const [kernel, end] = [order.indexOf('/proc'), order.indexOf('/dev/mqueue')];
    for (const early of ['/a', '/device', '/etc/hosts']) expect(order.indexOf(early)).toBeLessThan(kernel);
    for (const late of ['/dev/x', '/dev/shm']) expect(order.indexOf(late)).toBeGreaterThan(end);
  });

  it("are refused where one is in another, below the kernel's own", () => {
    const mounts = [bind('/dev/x'), bind('/dev/x/y')];
    expect(() => hostSpec({}, { mounts })).toThrow("'/dev/x/y' lies in another mount, '/dev/x'");
    expect(() => hostSpec({}, { mounts: [bind('/a/dev'), bind('/a/dev/x')] })).not.toThrow();
  });

  it('are read-only as far as an old kernel can', () => {
    const spec = hostSpec(
      {},
      { mounts: [bind('/a', false)], host: { ...SPEC_HOST, kernelVersion: '5.4.0' } },
    );
    expect(mountAt(spec, '/a')?.options).toContain('ro');
  });

  it('stand in for the defaults at their place', () => {
    const spec = hostSpec({ Tmpfs: { '/dev/shm': '' } }, { mounts: [bind('/etc/hosts')] });
    expect(mountAt(spec, '/dev/shm')?.source).toBe('tmpfs');
    expect(mountAt(spec, '/etc/hosts')?.source).toBe('/staged/etc/hosts');
  });

  it('of tmpfs in the long form carry their options', () => {
    const mount = {
      Type: 'tmpfs',
      Target: '/t',
      ReadOnly: true,
      TmpfsOptions: { SizeBytes: 4096, Mode: 0o1770, Options: [['exec'], ['uid', '5']] },
    };
    const made = { ...bind('/t'), type: 'tmpfs', tmpfsOptions: tmpfsOptionsOf(mount) } as const;
    expect(mountAt(hostSpec({ Mounts: [mount] }, { mounts: [made] }), '/t')?.options).toEqual([
      'nosuid',
      'nodev',
      'rprivate',
      'size=4096',
      'mode=1770',
      'ro',
      'exec',
      'uid=5',
    ]);
  });
});
