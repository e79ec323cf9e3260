import { describe, expect, it } from 'vitest';
import { makeHostConfig } from '../../../test/support/records.ts';
import { planBinds } from './plan-binds.ts';

const PLAIN = {
  source: '/src',
  destination: '/dst',
  isReadOnly: false,
  isRecursive: true,
  mustLockBelow: false,
  createsSource: true,
  mode: '',
  propagation: 'rprivate',
};

describe('-v', () => {
  it.each([
    ['/src:/dst', {}],
    ['//a/../src/.:/dst//', {}],
    ['/src:/dst:ro', { isReadOnly: true, mode: 'ro' }],
    ['/src:/dst:z,ro', { isReadOnly: true, mode: 'z,ro' }],
    ['/src:/dst:rw,private', { mode: 'rw,private', propagation: 'private' }],
  ])('%s', (text, expected) => {
    expect(planBinds(makeHostConfig({ Binds: [text] }))).toEqual([{ ...PLAIN, ...expected }]);
  });

  it('of a volume is none', () => {
    expect(planBinds(makeHostConfig({ Binds: ['volume:/dst'] }))).toEqual([]);
  });
});

describe('--mount', () => {
  const bind = { Type: 'bind', Source: '/src/', Target: '/dst' };

  it.each([
    [{}, { createsSource: false }],
    [{ ReadOnly: true }, { createsSource: false, isReadOnly: true }],
    [{ BindOptions: { NonRecursive: true } }, { createsSource: false, isRecursive: false }],
    [{ BindOptions: { CreateMountpoint: true } }, {}],
    [{ BindOptions: { ReadOnlyForceRecursive: true } }, { createsSource: false, mustLockBelow: true }],
    [{ BindOptions: { Propagation: 'private' } }, { createsSource: false, propagation: 'private' }],
  ])('%j', (parts, expected) => {
    expect(planBinds(makeHostConfig({ Mounts: [{ ...bind, ...parts }] }))).toEqual([
      { ...PLAIN, ...expected },
    ]);
  });

  it('of other types is none', () => {
    expect(planBinds(makeHostConfig({ Mounts: [{ ...bind, Type: 'volume' }] }))).toEqual([]);
  });
});
