import { describe, expect, it } from 'vitest';

import {
  makeConfig,
  makeContainer,
  makeContainerStore,
  makeId,
  makeJob,
  partOf,
} from '../../../test/support/records.ts';
import type { Containerd, Containers } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import type { JobNetwork } from '../../network/types.ts';
import type { Job } from '../job.ts';
import { renameContainer } from './rename-container.ts';

function twoContainers(update: Containers['update'] = async () => partOf({})): Job {
  return makeJob({
    containers: makeContainerStore([
      makeContainer({ config: makeConfig({ Labels: { a: 'b' } }) }),
      makeContainer({ id: makeId('c2'), name: 'db' }),
    ]),
    network: partOf<JobNetwork>({ rename: () => undefined }),
    containerd: partOf<Containerd>({ containers: partOf<Containers>({ update }) }),
  });
}

describe('renameContainer', () => {
  it.each(['front', '/front'])('gives the name %s, frees the old one and tells of it', async (name) => {
    const job = twoContainers();
    await renameContainer(job, 'web', name);
    expect(job.containers.resolve('front').record.name).toBe('front');
    expect(() => job.containers.resolve('web')).toThrow('No such container: web');
    expect(job.events.recent()).toEqual([
      expect.objectContaining({
        type: 'container',
        action: 'rename',
        actorId: makeId('c1'),
        attributes: { a: 'b', image: 'busybox', name: 'front', oldName: '/web' },
      }),
    ]);
    await renameContainer(job, 'db', 'web');
    expect(job.containers.resolve('web').id).toBe(makeId('c2'));
  });

  it.each([
    ['web', '', 'InvalidArgument', 'Neither old nor new names may be empty'],
    ['nope', '', 'InvalidArgument', 'Neither old nor new names may be empty'],
    ['nope', 'x1', 'NotFound', 'No such container: nope'],
    ['web', 'web', 'InvalidArgument', 'Renaming a container with the same name as its current name'],
    ['web', '/web', 'InvalidArgument', 'Renaming a container with the same name as its current name'],
    [
      'web',
      'a',
      'InvalidArgument',
      'Error when allocating new name: Invalid container name (/a), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    ],
    [
      'web',
      '/',
      'InvalidArgument',
      'Error when allocating new name: Invalid container name (/), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    ],
    [
      'web',
      'db',
      'Conflict',
      `Error when allocating new name: Conflict. The container name "/db" is already in use by container "${makeId('c2')}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    ],
  ])('refuses %s → %j', async (...[ref, name, kind, message]) => {
    const job = twoContainers();
    await expect(renameContainer(job, ref, name)).rejects.toMatchObject({ kind, message });
    expect(job.containers.resolve('web').record.name).toBe('web');
    expect(job.events.recent()).toEqual([]);
  });

  it('keeps the old name when the record cannot be written', async () => {
    const job = twoContainers(async () => {
      throw new EngineError('Unavailable', 'containerd is gone');
    });
    await expect(renameContainer(job, 'web', 'front')).rejects.toThrow('containerd is gone');
    expect(job.containers.resolve('web').record.name).toBe('web');
    expect(() => job.containers.resolve('front')).toThrow('No such container: front');
  });
});
