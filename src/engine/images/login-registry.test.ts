import { expect, test } from 'vitest';
import type { RegistryLogin } from '../../registry/types.ts';
import { loginRegistry } from './login-registry.ts';
import { partOf } from '../../../test/support/records.ts';
import type { Job } from '../job.ts';
import type { Registry } from '../../registry/types.ts';

const credentials = { username: 'u', password: 'p', identityToken: '', registryToken: '' };

async function domainAsked(serverAddress: string): Promise<string> {
  const asked: RegistryLogin[] = [];
  const job = partOf<Job>({
    signal: new AbortController().signal,
    registry: partOf<Registry>({
      login(login) {
        asked.push(login);
        return Promise.resolve();
      },
    }),
  });
  await loginRegistry(job, { serverAddress, credentials, signal: new AbortController().signal });
  return asked.map(({ domain }) => domain).join();
}

test.each([
  ['', 'docker.io'],
  ['https://index.docker.io/v1/', 'docker.io'],
  ['docker.io', 'docker.io'],
  ['registry.example', 'registry.example'],
  ['https://registry.example/v2/', 'registry.example'],
  ['http://localhost:5000', 'localhost:5000'],
  ['10.0.0.1:5000/', '10.0.0.1:5000'],
])('the address %j is that of %s', async (address, domain) => {
  expect(await domainAsked(address)).toBe(domain);
});

test.each([
  'file:///etc/passwd',
  'gopher://host.example/',
  'https://user:password@host.example',
  'nodots',
  'https://',
  'host.example:port',
  'a b.example',
  'host.example\r\nX: y',
])('the address %j is none of a registry', async (address) => {
  await expect(domainAsked(address)).rejects.toMatchObject({ kind: 'InvalidArgument' });
});
