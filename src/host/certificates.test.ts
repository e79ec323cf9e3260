import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from './certificates.ts';
import { createHostProcesses } from './processes.ts';

let top: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'berth-certificates-'));
});
afterEach(() => rm(top, { recursive: true }));

describe('certificates of a job', () => {
  it('are of one authority, for one address, and root’s alone', async () => {
    const directory = join(top, 'tls');
    const made = await makeCertificates(createHostProcesses(), { directory, address: '127.0.0.1' });
    const [ca, server] = [new X509Certificate(made.ca), new X509Certificate(made.cert)];
    const client = new X509Certificate(await readFile(join(made.clientDirectory, 'cert.pem')));
    expect([ca.ca, server.ca, client.ca]).toEqual([true, false, false]);
    for (const one of [server, client]) expect(one.verify(ca.publicKey)).toBe(true);
    expect([server.checkIP('127.0.0.1'), server.checkIP('127.0.0.2')]).toEqual(['127.0.0.1', undefined]);
    expect([server.checkHost('localhost'), server.checkHost('example.test')]).toEqual([
      'localhost',
      undefined,
    ]);
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect((await readdir(made.clientDirectory)).sort()).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
    for (const path of ['', 'client', 'client/key.pem', 'server-key.pem'])
      expect((await stat(join(directory, path))).mode & 0o077).toBe(0);
    // Nobody can sign another one.
    const names = (await readdir(directory)).sort();
    expect(names).toEqual(['address', 'ca.pem', 'client', 'server-key.pem', 'server.pem']);
  });

  it('stay for the same address, and are made anew for another', async () => {
    const directory = join(top, 'tls');
    const processes = createHostProcesses();
    const first = await makeCertificates(processes, { directory, address: '::1' });
    expect((await makeCertificates(processes, { directory, address: '::1' })).cert).toEqual(first.cert);
    const other = await makeCertificates(processes, { directory, address: '127.0.0.1' });
    expect(other.ca).not.toEqual(first.ca);
    expect(await readdir(top)).toEqual(['tls']);
  });
});
