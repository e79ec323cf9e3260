import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { openNetnsEntry } from '../../src/host/netns.ts';
import { dialAddresses } from '../../src/network/dial-addresses.ts';
import type { JobNetwork, OpenedUrl } from '../../src/network/types.ts';
import { createWorld, world, type World } from './network-support.ts';

// What is fetched for a job begins in its namespace: IPv6 as IPv4, under the rules that its own processes have.

const port = 7000;

/** Answers `/to?URL` with a redirect, and else with who asks. */
const web = `
const [port, place] = process.argv.slice(1);
require('node:http').createServer((request, answer) => {
  const [path, to] = request.url.split('?');
  if (path === '/to') answer.writeHead(302, { location: to }).end();
  else answer.end(place + ' ' + request.socket.remoteAddress.replace('::ffff:', ''));
}).listen(Number(port), '::', () => console.log('listening'));`;

/** The same over TLS, with the key and certificate of the files. */
const secureWeb = `
const [port, key, cert] = process.argv.slice(1);
const read = require('node:fs').readFileSync;
require('node:https').createServer({ key: read(key), cert: read(cert) }, (request, answer) => answer.end())
  .listen(Number(port), '::', () => console.log('listening'));`;
const run = promisify(execFile);

/** Fetches, and reads what came. */
async function read(job: JobNetwork, url: string, timeoutMs = 20_000): Promise<string> {
  const { status, body }: OpenedUrl = await job.openUrl(url, AbortSignal.timeout(timeoutMs));
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return `${status} ${text}`;
}

describe('a URL over IPv6', () => {
  let host: World;
  let job: JobNetwork;
  let before = '';
  beforeAll(async () => {
    host = await createWorld();
    await host.serve(host.outsideNetns, web, String(port), 'outside');
    await host.serve(host.hostNetns, web, String(port), 'host');
  });
  afterAll(async () => {
    await host.end();
  });
  beforeEach(async () => {
    before = await host.snapshot();
  });
  afterEach(async () => {
    expect(await job.close()).toEqual([]);
    expect(await host.snapshot()).toBe(before);
  });

  test('is fetched by a way out that is opened for it, under the address of the host', async () => {
    job = await host.open(host.slug('six'));
    const url = `http://[${world.outsidePublicIpv6}]:${port}`;
    expect(await host.run(job.netnsPath, 'ip', '-6', 'route', 'show', 'default')).toBe('');
    const both = await Promise.all([read(job, `${url}/file`), read(job, `${url}/file`)]);
    expect(both).toEqual(Array.from({ length: 2 }, () => `200 outside ${world.hostPublicIpv6}`));
    expect(await read(job, `http://${world.outsidePublic}:${port}/to?${url}/`)).toContain('200 outside');
  });

  test('opens no way out for IPv4', async () => {
    job = await host.open(host.slug('four'));
    expect(await read(job, `http://${world.outsidePublic}:${port}/`)).toContain('200 outside');
    expect(await host.run(job.netnsPath, 'ip', '-6', 'route', 'show', 'default')).toBe('');
  });

  test('is refused for the machine and its links, at a redirect too', async () => {
    job = await host.open(host.slug('never'), { egress: { kind: 'all' } });
    const start = `http://[${world.outsidePublicIpv6}]:${port}/to?`;
    for (const address of ['::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fe80::2', world.metadataIpv6])
      for (const from of ['', start])
        await expect(read(job, `${from}http://[${address}]:${port}/`)).rejects.toMatchObject({
          kind: 'PermissionDenied',
        });
  });

  test("does not lead to the host's own addresses, nor to private ones that are not listed", async () => {
    job = await host.open(host.slug('rules'));
    const addresses = [world.hostPublicIpv6, world.hostPrivateIpv6, world.outsidePrivateIpv6];
    for (const address of addresses)
      await expect(read(job, `http://[${address}]:${port}/`, 1500)).rejects.toMatchObject({
        kind: 'Cancelled',
      });
    expect(await host.run(job.netnsPath, 'ip', '-6', 'route', 'show', 'default')).toContain('via');
  });

  test('leads to a private address that is listed', async () => {
    job = await host.open(host.slug('listed'), { egress: { kind: 'internet', allow: ['fd99::/64'] } });
    expect(await read(job, `http://[${world.outsidePrivateIpv6}]:${port}/`)).toContain('200 outside');
    await expect(read(job, `http://[${world.hostPrivateIpv6}]:${port}/`, 1500)).rejects.toThrow();
  });

  test('in a namespace of others is refused for what is not listed, before anything is sent', async () => {
    job = await host.open(host.slug('shared'), {
      choice: { kind: 'path', path: host.outsideNetns },
      // The block of the examples, which is nobody's on the internet.
      egress: { kind: 'internet', allow: ['2001:db8:99::1'] },
    });
    expect(await read(job, `http://[${world.hostPublicIpv6}]:${port}/`)).toBe(
      `200 host ${world.outsidePublicIpv6}`,
    );
    for (const address of ['::1', world.outsidePublicIpv6, world.outsidePrivateIpv6, world.hostPrivateIpv6])
      await expect(read(job, `http://[${address}]:${port}/`)).rejects.toMatchObject({
        kind: 'PermissionDenied',
      });
  });

  test('says at once that there is no way out, where the host has none', async () => {
    await host.run(host.hostNetns, 'ip', '-6', 'route', 'del', 'default');
    try {
      job = await host.open(host.slug('none'));
      await expect(read(job, `http://[${world.outsidePublicIpv6}]:${port}/`)).rejects.toMatchObject({
        kind: 'Unavailable',
        message: expect.stringContaining('ENETUNREACH') as string,
      });
    } finally {
      await host.run(host.hostNetns, 'ip', '-6', 'route', 'add', 'default', 'via', world.outsidePublicIpv6);
    }
  });

  test('of several addresses the next is dialled where one does not answer', async () => {
    job = await host.open(host.slug('several'));
    const { netnsPath } = job;
    const noExit = { netns: await openNetnsEntry(), netnsPath, openIpv6Exit: () => Promise.resolve(false) };
    const dial = async (...addresses: readonly string[]): Promise<string | undefined> => {
      const socket = await dialAddresses(noExit, { addresses, port }, AbortSignal.timeout(20_000));
      const { remoteAddress } = socket;
      socket.destroy();
      await once(socket, 'close');
      return remoteAddress;
    };
    expect(await dial(world.outsidePublicIpv6, world.outsidePublic)).toBe(world.outsidePublic);
    // Its packets are dropped.
    expect(await dial(world.metadata, world.outsidePublicIpv6, world.outsidePublic)).toBe(
      world.outsidePublic,
    );
    await expect(dial(world.outsidePublicIpv6)).rejects.toMatchObject({ kind: 'Unavailable' });
  });

  test.each([
    { what: 'trusted where the certificate is its own', name: world.outsidePublic, says: /^200$/ },
    {
      what: 'refused where it is that of localhost',
      name: 'localhost',
      says: /IP: 203\.0\.113\.2 is not in/,
    },
  ])('an address over TLS is $what', async ({ name, says }) => {
    job = await host.open(host.slug('tls'));
    const securePort = name === 'localhost' ? 7444 : 7443;
    const [key, certificate] = [join(host.directory, `${name}.key`), join(host.directory, `${name}.pem`)];
    await run('openssl', [
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
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${name === 'localhost' ? 'DNS' : 'IP'}:${name}`],
      ...['-keyout', key, '-out', certificate],
    ]);
    await host.serve(host.outsideNetns, secureWeb, String(securePort), key, certificate);
    const script = join(import.meta.dirname, 'network-urls-fetch.ts');
    const url = `https://${world.outsidePublic}:${securePort}/`;
    const { stdout } = await run(process.execPath, ['--import', 'tsx', script, url, job.netnsPath], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
    });
    expect(stdout).toMatch(says);
  });
});
