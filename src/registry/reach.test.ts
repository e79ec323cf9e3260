import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  answerManifest,
  basicHeader,
  manifestBytes,
  serveScript,
} from '../../test/support/scripted-server.ts';
import { createRegistry, type RegistrySettings } from './create-registry.ts';
import { createReachFinder, type Reach } from './reach.ts';
import { isSpecialAddress } from '../lib/address-blocks.ts';
import type { Repository } from './types.ts';

const none = { registriesDir: undefined, insecureRegistries: [] };

function open(domain: string, settings: Partial<RegistrySettings> = {}, path = 'team/app'): Repository {
  const registry = createRegistry({ ...none, ...settings }, { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 });
  onTestFinished(() => {
    registry.close();
  });
  return registry.open({
    reference: { domain, path },
    familiarName: `${domain}/${path}`,
    signal: new AbortController().signal,
  });
}

function resolveThrough(reach: Reach, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    reach.lookup(name, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses);
    });
  });
}

test.each([
  ['0.0.0.0', true],
  ['10.1.2.3', true],
  ['100.64.0.1', true],
  ['127.0.0.1', true],
  ['169.254.169.254', true],
  ['172.31.255.255', true],
  ['192.168.1.1', true],
  ['224.0.0.1', true],
  ['255.255.255.255', true],
  ['::', true],
  ['::1', true],
  ['::ffff:10.0.0.1', true],
  ['64:ff9b::a00:1', true],
  ['fe80::1', true],
  ['fd00:ec2::254', true],
  ['2002:a00:1::', true],
  ['ff02::1', true],
  ['1.1.1.1', false],
  ['172.32.0.1', false],
  ['::ffff:1.1.1.1', false],
  ['2606:4700::1111', false],
])('%s is special: %s', (address, isSpecial) => {
  expect(isSpecialAddress(address)).toBe(isSpecial);
});

describe('an address that is not public', () => {
  test.each(['10.0.0.1:5000', '169.254.169.254', '[fd00::1]:5000', '0.0.0.0:5000', '0x7f000001:5000'])(
    '%s is refused before anything is sent',
    async (domain) => {
      await expect(open(domain).resolve('v1')).rejects.toMatchObject({
        kind: 'PermissionDenied',
        message: expect.stringContaining('has an address that is not public') as string,
      });
    },
  );

  test.each(['localhost', '10.1.2.3'])('is refused behind a name, when %s is dialled', async (name) => {
    const reach = createReachFinder(none)('registry.example');
    await expect(resolveThrough(reach, name)).rejects.toMatchObject({ kind: 'PermissionDenied' });
  });

  test.each<[string, Partial<RegistrySettings>]>([
    ['by its name', { privateRegistries: ['localhost'] }],
    ['by its addresses', { privateRegistries: ['127.0.0.0/8', '::1/128'] }],
    ['as insecure', { insecureRegistries: ['localhost'] }],
  ])('is let through where it is listed %s', async (_how, settings) => {
    const reach = createReachFinder({ ...none, ...settings })('registry.example');
    reach.check(new URL('https://localhost'));
    await expect(resolveThrough(reach, 'localhost')).resolves.not.toEqual([]);
  });

  test('is where a redirect or a token realm must not lead', async () => {
    const inside = await serveScript((_request, response) => response.end('secret'));
    const port = inside.host.split(':')[1] ?? '';
    for (const target of ['http://10.0.0.1/secret', 'http://169.254.169.254/latest/meta-data/']) {
      const server = await serveScript((_request, response) => {
        response.writeHead(307, { location: target }).end();
      });
      await expect(open(server.host).fetchManifest('v1')).rejects.toMatchObject({ kind: 'PermissionDenied' });
    }
    const reach = createReachFinder(none)('registry.example');
    for (const url of [`http://127.0.0.1:${port}/`, `http://[::1]:${port}/`])
      expect(() => reach.check(new URL(url))).toThrow('has an address that is not public');
    const realm = await serveScript((_request, response) => {
      response
        .writeHead(401, { 'www-authenticate': 'Bearer realm="https://192.168.0.1/token",service="x"' })
        .end();
    });
    await expect(open(realm.host).fetchManifest('v1')).rejects.toMatchObject({ kind: 'PermissionDenied' });
    expect(inside.seen).toEqual([]);
  });
});

describe('the list of registries', () => {
  test.each([
    ['docker.io', ['docker.io'], true],
    ['ghcr.io', ['docker.io'], false],
    ['hub.corp.example:5000', ['*.corp.example'], true],
    ['hub.corp.example:5000', ['hub.corp.example:5001'], false],
    ['hub.corp.example:5001', ['hub.corp.example:5001'], true],
    ['evilcorp.example', ['*.corp.example'], false],
    ['corp.example', ['*.corp.example'], false],
    ['GHCR.io', ['ghcr.io'], true],
    ['ghcr.io', [], false],
  ])('%s with %j: %s', (domain, allowedRegistries, isAllowed) => {
    const find = (): unknown => createReachFinder({ ...none, allowedRegistries })(domain);
    if (isAllowed) expect(find).not.toThrow();
    else expect(find).toThrow(`registry ${domain} is not allowed here`);
  });
});

describe("the node's credentials", () => {
  async function credentialsFile(auths: object): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'berth-node-credentials-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'config.json');
    await writeFile(file, JSON.stringify({ auths }));
    return file;
  }
  const auth = Buffer.from('user:secret').toString('base64');

  test('are shown to their own registry alone, and for the repositories that they are for', async () => {
    const server = await serveScript((request, response) => {
      if (request.headers.authorization === basicHeader) answerManifest(response, manifestBytes);
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    });
    const file = await credentialsFile({
      [`${server.host}/team`]: { auth },
      'https://other.example/v1/': { auth: Buffer.from('other:x').toString('base64') },
    });
    const settings = { registryCredentials: file };
    const repository = open(server.host, settings);
    await repository.resolve('v1');
    expect(repository.isAnonymous()).toBe(false);
    await expect(open(server.host, settings, 'teammate/app').resolve('v1')).rejects.toMatchObject({
      kind: 'Unauthenticated',
    });
    expect(new Set(server.seen.map(({ authorization }) => authorization))).toEqual(
      new Set([undefined, basicHeader]),
    );
  });

  test('that cannot be read are an error that repeats nothing of them', async () => {
    const file = await credentialsFile({});
    await writeFile(file, '{"auths": {"x": {"auth": "c2VjcmV0"');
    expect(() => open('registry.example', { registryCredentials: file })).toThrow(
      expect.objectContaining({ message: "the node's registry credentials cannot be read (not JSON)" }),
    );
  });
});
