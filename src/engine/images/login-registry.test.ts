import { expect, test } from 'vitest';
import type { RegistryLogin } from '../../registry/types.ts';
import { loginRegistry } from './login-registry.ts';
import { partOf } from '../../../test/support/records.ts';
import { GATE_PARTS } from '../../../test/support/gate-parts.ts';
import type { LoginRequest } from '../../wire/login-request.ts';
import type { Job } from '../job.ts';
import type { Registry } from '../../registry/types.ts';

const LOGIN: LoginRequest = {
  username: 'u',
  password: 'p',
  auth: '',
  email: '',
  serveraddress: '',
  identitytoken: '',
  registrytoken: '',
};

async function domainAsked(serveraddress: string): Promise<string> {
  const asked: RegistryLogin[] = [];
  const job = partOf<Job>({
    ...GATE_PARTS,
    signal: new AbortController().signal,
    registry: partOf<Registry>({
      login(login) {
        asked.push(login);
        return Promise.resolve();
      },
    }),
  });
  await loginRegistry(job, { ...LOGIN, serveraddress }, new AbortController().signal);
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
