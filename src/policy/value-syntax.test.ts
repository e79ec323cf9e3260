import { describe, expect, it } from 'vitest';
import { isReadOnlyBind, parseBind } from './bind-spec.ts';
import { numbersOfList } from './cpu-list.ts';
import { isIpv4, isIpv6 } from './ip-address.ts';
import { cleanPath, refuseMountPoint } from './mount-point.ts';
import { isContainerPort, isHostPort } from './port-spec.ts';
import { checkTmpfsOptions, cutTmpfsSize } from './tmpfs-options.ts';
import { isUserSyntax } from './user-syntax.ts';

describe('isIpv4', () => {
  it.each(['0.0.0.0', '127.0.0.1', '255.255.255.255', '8.8.8.8'])('takes %s', (text) => {
    expect(isIpv4(text)).toBe(true);
  });
  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4.',
    '.1.2.3.4',
    '1.2.3.4\n',
    '1..2.3',
    '0x1.2.3.4',
  ])('refuses %j', (text) => {
    expect(isIpv4(text)).toBe(false);
  });
});

describe('isIpv6', () => {
  it.each([
    '::',
    '::1',
    'fe80::1',
    '1:2:3:4:5:6:7:8',
    '::ffff:10.0.0.1',
    '2001:db8::8:800:200c:417a',
    '1::',
    '1:2:3:4:5:6:1.2.3.4',
  ])('takes %s', (text) => {
    expect(isIpv6(text)).toBe(true);
  });
  it.each([
    '',
    ':',
    '1',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    'g::',
    '12345::',
    '::1%eth0',
    '::1\n',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
  ])('refuses %j', (text) => {
    expect(isIpv6(text)).toBe(false);
  });
});

it.each([
  ['80', true],
  ['80/tcp', true],
  ['65535/sctp', true],
  ['0/tcp', false],
  ['65536', false],
  ['80/', false],
  ['80-90', false],
  ['', false],
])('isContainerPort(%j) is %s', (text, expected) => {
  expect(isContainerPort(text)).toBe(expected);
});

it.each([
  ['0', true],
  ['80', true],
  ['80-90', true],
  ['90-80', false],
  ['80-', false],
  ['99999', false],
  ['80;x', false],
  ['-1', false],
])('isHostPort(%j) is %s', (text, expected) => {
  expect(isHostPort(text)).toBe(expected);
});

it.each([
  ['', true],
  ['root', true],
  ['0:0', true],
  ['www-data:1000', true],
  ['2147483647', true],
  ['1000:', true],
  [':1000', true],
  ['2147483648', false],
  ['99999999999999999999', false],
  ['-1', false],
  ['+1', false],
  ['a:b:c', false],
  [':', false],
  ['a b', false],
  ['a/b', false],
])('isUserSyntax(%j) is %s', (text, expected) => {
  expect(isUserSyntax(text)).toBe(expected);
});

it.each([
  ['', []],
  ['0', [0]],
  ['0-3,7', [0, 1, 2, 3, 7]],
  ['7,0-1,1', [7, 0, 1]],
  ['3-1', undefined],
  ['0-100000', undefined],
  ['a', undefined],
  ['1,', undefined],
])('numbersOfList(%j) is %j', (text, expected) => {
  expect(numbersOfList(text)).toEqual(expected && new Set(expected));
});

it.each([
  ['/a//b/./c/', '/a/b/c'],
  ['/..', '/'],
  ['/a/../b', '/b'],
])('cleanPath(%j) is %s', (path, expected) => {
  expect(cleanPath(path)).toBe(expected);
});

it.each(['', '.', 'a', '/', '//', '/a/..', '/..', '/proc', '/proc/sys', '/./proc/x', '/sys', '/dev'])(
  'nothing may be mounted at %j',
  (path) => {
    expect(refuseMountPoint(path)).toBeTypeOf('string');
  },
);

it.each(['/a', '/dev/shm', '/sys/fs/cgroup', '/procfs', '/a/b/'])(
  'something may be mounted at %s',
  (path) => {
    expect(refuseMountPoint(path)).toBeUndefined();
  },
);

describe('parseBind', () => {
  it.each([
    ['/a:/b', { source: '/a', target: '/b', modes: [] }],
    ['v:/b:z,ro', { source: 'v', target: '/b', modes: ['z', 'ro'] }],
    ['/a', { source: '', target: '/a', modes: [] }],
    ['', undefined],
    [':/b', undefined],
    ['/a:', undefined],
    ['/a:/b:', undefined],
    ['/a:/b:ro:x', undefined],
  ])('%s', (text, expected) => {
    expect(parseBind(text)).toEqual(expected);
  });

  it.each([
    ['ro', true],
    ['z,ro', true],
    ['ro,Z', true],
    ['readonly', true],
    ['rw', false],
    ['z', false],
  ])('%s is read-only: %s', (mode, expected) => {
    expect(isReadOnlyBind({ source: '/a', target: '/b', modes: mode.split(',') })).toBe(expected);
  });
});

describe('tmpfs options', () => {
  it.each([
    '',
    'size=64m',
    'size=50%',
    'rw,noexec,nosuid,size=65536k',
    'mode=1777,uid=0,gid=5',
    'nr_inodes=10k',
    'exec,suid',
  ])('takes %j', (options) => {
    expect(checkTmpfsOptions(options)).toEqual([]);
  });
  it.each([
    'dev',
    'size=',
    'size=-1',
    'mode=9',
    'upperdir=/',
    'source=/',
    'bind',
    'remount',
    'size=1k,',
    'SIZE=1k',
    'shared',
  ])('refuses %j', (options) => {
    expect(checkTmpfsOptions(options)).toHaveLength(1);
  });
  it.each([
    ['size=2g,exec', 'size=1024,exec'],
    ['size=1025', 'size=1024'],
    ['size=1k', 'size=1k'],
    ['size=200%', 'size=1024'],
    ['size=100%', 'size=1024'],
    ['size=25%', 'size=256'],
    ['size=0%', 'size=1024'],
    ['size=0', 'size=1024'],
    ['size=0k,mode=700', 'size=1024,mode=700'],
    ['size=1,size=2k', 'size=1,size=1024'],
    ['', ''],
  ])('cuts %j to %j', (options, expected) => {
    expect(cutTmpfsSize(options, 1024)).toBe(expected);
    expect(cutTmpfsSize(expected, 1024)).toBe(expected);
  });
});
