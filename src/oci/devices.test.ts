import { expect, it } from 'vitest';
import { makeHostConfig } from '../../test/support/records.ts';
import { buildDevices } from './devices.ts';
import type { OciDevice } from './spec-types.ts';

const node = (path: string, minor: number): OciDevice => ({
  path,
  type: 'c',
  major: 10,
  minor,
  fileMode: 0o600,
  uid: 0,
  gid: 0,
});
const HOST = [node('/dev/fuse', 229), node('/dev/net/tun', 200), node('/dev/net/x', 201)];
const mapping = (from: string, to = '', access = ''): object => ({
  PathOnHost: from,
  PathInContainer: to,
  CgroupPermissions: access,
});

function build(asked: object): ReturnType<typeof buildDevices> {
  return buildDevices({ ...makeHostConfig(), ...asked }, HOST);
}

it('gives the node that was asked for, where it was asked for, with what may be done to it', () => {
  expect(build({ Devices: [mapping('/dev/fuse', '/dev/f', 'r'), mapping('/dev/net')] })).toEqual({
    nodes: [{ ...node('/dev/f', 229), path: '/dev/f' }, node('/dev/net/tun', 200), node('/dev/net/x', 201)],
    rules: [
      { allow: true, type: 'c', major: 10, minor: 229, access: 'r' },
      { allow: true, type: 'c', major: 10, minor: 200, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 201, access: 'rwm' },
    ],
  });
});

it('gives a privileged container all of them, whose device cgroup is open anyway', () => {
  expect(build({ Privileged: true, Devices: [mapping('/dev/fuse', '/dev/f')] })).toEqual({
    nodes: [...HOST, node('/dev/f', 229)],
    rules: [],
  });
});

it('writes device rules', () => {
  expect(build({ DeviceCgroupRules: ['a *:* rwm', 'c 1:* r', 'b 8:0 w'] }).rules).toEqual([
    { allow: true, access: 'rwm' },
    { allow: true, type: 'c', major: 1, access: 'r' },
    { allow: true, type: 'b', major: 8, minor: 0, access: 'w' },
  ]);
});

it.each(['/dev/nope', '/dev/fus', '/etc/passwd', '/dev/fuse/../fuse'])('knows no device %s', (path) => {
  expect(() => build({ Devices: [mapping(path)] })).toThrow('error gathering device information');
});
