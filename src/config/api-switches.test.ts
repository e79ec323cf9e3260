import { describe, expect, test } from 'vitest';
import { endpointPermissions } from './api-switches.ts';

describe('switches of endpoints', () => {
  test('the environment is read for the profile socket-proxy alone, and wins over the file', () => {
    const file = { switches: { containers: false, images: true } };
    const environment = { CONTAINERS: '1', POST: '0', ALLOW_KILL: '1', INFO: '' };
    expect(endpointPermissions({ ...file, profile: 'socket-proxy' }, environment)).toEqual({
      profile: 'socket-proxy',
      given: { containers: true, images: true, post: false, kill: true, info: false },
    });
    expect(endpointPermissions({ ...file, profile: 'job' }, environment)).toEqual({
      profile: 'job',
      given: file.switches,
    });
  });

  test('a variable that can only be meant for somebody else is an error without its value', () => {
    const read = (): unknown =>
      endpointPermissions({ profile: 'socket-proxy', switches: {} }, { AUTH: 'hunter2' });
    expect(read).toThrow('AUTH must be 0 or 1');
    expect(read).not.toThrow('hunter2');
  });

  test('an unknown profile is an error', () => {
    expect(() => endpointPermissions({ profile: 'open', switches: {} }, {})).toThrow(
      'api.profile is job or socket-proxy, not "open"',
    );
  });
});
