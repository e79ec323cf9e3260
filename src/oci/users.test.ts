import { describe, expect, it } from 'vitest';
import { resolveUser } from './users.ts';

const DATABASE = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\n# comment\nbin:x:2:3::/:\nweb:x:33:33::/var/www:\n123:x:500:500::/:\nbad:x:99999999999:0::/:\nshort\n',
  group: 'root:x:0:\nadm:x:4:root,web\nweb:x:33:\nwheel:x:10:root\n4x:x:44:\nbroken:x:y:web\n',
};
const EMPTY = { passwd: '', group: '' };

describe('resolveUser', () => {
  it.each([
    ['', DATABASE, { uid: 0, gid: 0, additionalGids: [0, 4, 10] }],
    ['root', DATABASE, { uid: 0, gid: 0, additionalGids: [0, 4, 10] }],
    ['web', DATABASE, { uid: 33, gid: 33, additionalGids: [33, 4] }],
    ['33', DATABASE, { uid: 33, gid: 33, additionalGids: [33, 4] }],
    ['web:adm', DATABASE, { uid: 33, gid: 4, additionalGids: [4] }],
    ['web:1234', DATABASE, { uid: 33, gid: 1234, additionalGids: [1234] }],
    ['7777', DATABASE, { uid: 7777, gid: 0, additionalGids: [0] }],
    ['7777:8888', DATABASE, { uid: 7777, gid: 8888, additionalGids: [8888] }],
    ['123', DATABASE, { uid: 123, gid: 0, additionalGids: [0] }],
    ['2147483647', DATABASE, { uid: 2147483647, gid: 0, additionalGids: [0] }],
    [':4', DATABASE, { uid: 0, gid: 4, additionalGids: [4] }],
    ['', EMPTY, { uid: 0, gid: 0, additionalGids: [0] }],
    ['1000:1000', EMPTY, { uid: 1000, gid: 1000, additionalGids: [1000] }],
  ])('%j', (spec, database, expected) => {
    expect(resolveUser(spec, database)).toEqual(expected);
  });

  it('adds groups by name and number, each once', () => {
    expect(resolveUser('web', DATABASE, ['adm', '777', '777']).additionalGids).toEqual([33, 4, 777]);
  });

  it.each([
    ['nobody', [], 'unable to find user nobody: no matching entries in passwd file'],
    ['bad', [], 'unable to find user bad: no matching entries in passwd file'],
    ['web:nobody', [], 'unable to find group nobody: no matching entries in group file'],
    ['web', ['nobody'], 'unable to find group nobody: no matching entries in group file'],
    ['2147483648', [], 'uids and gids must be in range 0-2147483647'],
    ['0:4294967296', [], 'uids and gids must be in range 0-2147483647'],
    ['0', ['4294967296'], 'uids and gids must be in range 0-2147483647'],
    ['-1', [], 'unable to find user -1: no matching entries in passwd file'],
  ])('refuses %j with groups %j', (spec, groups, message) => {
    expect(() => resolveUser(spec, DATABASE, groups)).toThrow(
      expect.objectContaining({ kind: 'InvalidArgument', message }),
    );
  });
});
