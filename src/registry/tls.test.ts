import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { answerManifest, manifestBytes, openRepository } from '../../test/support/scripted-server.ts';

// By this name the loopback device is not one of the hosts whose certificates need not be checked.
const HOST = '[::ffff:127.0.0.1]';
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-tls-'));
  for (const [name, extensions] of [
    ['server', 'subjectAltName=IP:::ffff:127.0.0.1'],
    ['client', 'extendedKeyUsage=clientAuth'],
  ] as const)
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', `/CN=${name}`, '-addext', extensions],
        ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
      ],
      { cwd: directory, stdio: 'ignore' },
    );
});

afterAll(() => rm(directory, { recursive: true }));

interface SecureServer {
  readonly host: string;
  /** Names of the clients' certificates, empty where there was none. */
  readonly clients: readonly string[];
}

async function serveSecurely(): Promise<SecureServer> {
  const clients: string[] = [];
  const read = (name: string): Promise<Buffer> => readFile(join(directory, name));
  const server = createServer(
    {
      cert: await read('server.pem'),
      key: await read('server.key'),
      ca: await read('client.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const socket = request.socket as unknown as { readonly authorized: boolean };
      clients.push(socket.authorized ? 'known' : '');
      answerManifest(response, manifestBytes);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { host: `${HOST}:${(server.address() as AddressInfo).port}`, clients };
}

/** A registries directory whose hosts.toml for any host has these lines, and the certificates beside it. */
async function configure(lines: readonly string[]): Promise<string> {
  const registriesDir = await mkdtemp(join(tmpdir(), 'berth-registries-'));
  onTestFinished(() => rm(registriesDir, { recursive: true }));
  const target = join(registriesDir, '_default');
  await mkdir(target);
  for (const name of ['server.pem', 'client.pem', 'client.key'])
    await writeFile(join(target, name), await readFile(join(directory, name)));
  await writeFile(join(target, 'hosts.toml'), lines.join('\n'));
  return registriesDir;
}

describe('the certificate of a registry', () => {
  test('has to be one that is known', async () => {
    const { host, clients } = await serveSecurely();
    await expect(openRepository(host).resolve('v1')).rejects.toThrow(
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    );
    expect(clients).toEqual([]);
  });

  test('is known by the file that the operator names, beside hosts.toml', async () => {
    const { host } = await serveSecurely();
    const registriesDir = await configure(['ca = "server.pem"']);
    await expect(openRepository(host, { registriesDir }).resolve('v1')).resolves.toMatchObject({});
  });

  test('is not checked where the operator says so', async () => {
    const { host } = await serveSecurely();
    const registriesDir = await configure(['skip_verify = true']);
    await expect(openRepository(host, { registriesDir }).resolve('v1')).resolves.toMatchObject({});
  });

  test('is answered with ours where the operator gives one', async () => {
    const { host, clients } = await serveSecurely();
    const registriesDir = await configure(['ca = ["server.pem"]', 'client = [["client.pem", "client.key"]]']);
    await openRepository(host, { registriesDir }).resolve('v1');
    expect(clients).toEqual(['known']);
  });
});
