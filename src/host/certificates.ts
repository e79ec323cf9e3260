import { generateKeyPair, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EngineError } from '../errors.ts';
import type { HostProcesses } from './types.ts';

/** What both ends of a mutual TLS connection show, and what they know the other one by. */
export interface Certificates {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Directory of the client's `ca.pem`, `cert.pem` and `key.pem`, as `DOCKER_CERT_PATH` has it. */
  readonly clientDirectory: string;
}

/** Whom to make certificates for. */
export interface CertificateOptions {
  /** Made, readable by root alone; one that is there whole, for the same address, is used again. */
  readonly directory: string;
  /** The address that clients connect to. */
  readonly address: string;
}

const HOUR_MS = 3_600_000;
/** The other end's clock may be behind ours. */
const EARLY_MS = HOUR_MS;
/** What stays of the making; the authority's key does not. */
const KEPT: ReadonlySet<string> = new Set(['ca.pem', 'server.pem', 'server-key.pem', 'client']);
/** Longer than any job. */
const VALID_MS = 30 * 24 * HOUR_MS;

// One authority for one job: it signs two certificates, and its key is gone before anybody connects.
// Files are named relative to the directory: openssl expands what looks like a variable in a path.
const configuration = (address: string): string => `
[ca]
default_ca = job
[job]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = names
unique_subject = no
[names]
commonName = supplied
[req]
distinguished_name = none
prompt = no
[none]
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:${address}${isLoopback(address) ? ',DNS:localhost' : ''}
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
`;

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/**
 * The job's own authority with a certificate for the server and one for the client, by openssl: Node makes keys, but signs
 * no certificates. Unavailable where there is no openssl.
 */
export async function makeCertificates(
  processes: HostProcesses,
  { directory, address }: CertificateOptions,
): Promise<Certificates> {
  const marker = join(directory, 'address');
  const known = await readFile(marker, 'utf8').catch(() => '');
  if (known !== address) {
    const work = `${directory}.${randomBytes(8).toString('hex')}`;
    await rm(directory, { recursive: true, force: true });
    await mkdir(join(work, 'client'), { recursive: true, mode: 0o700 });
    try {
      await signAll(processes, work, address);
      await writeFile(join(work, 'address'), address, { mode: 0o600 });
      await rename(work, directory);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'server.pem', 'server-key.pem'].map((name) => readFile(join(directory, name))),
  );
  if (!ca || !cert || !key) throw new EngineError('Internal', 'certificates are incomplete');
  return { ca, cert, key, clientDirectory: join(directory, 'client') };
}

async function signAll(processes: HostProcesses, directory: string, address: string): Promise<void> {
  const inside = (name: string): string => join(directory, name);
  const authority = { name: 'ca', commonName: 'berth job', extensions: 'authority' };
  const others = [
    { name: 'server', commonName: 'berth', extensions: 'server' },
    { name: 'client', commonName: 'client', extensions: 'client' },
  ];
  await writeFile(inside('config'), configuration(address), { mode: 0o600 });
  await writeFile(inside('index'), '', { mode: 0o600 });
  for (const one of [authority, ...others]) await signOne(processes, directory, one);
  await rename(inside('client.pem'), inside('client/cert.pem'));
  await rename(inside('client-key.pem'), inside('client/key.pem'));
  await writeFile(inside('client/ca.pem'), await readFile(inside('ca.pem')), { mode: 0o600 });
  for (const name of await readdir(directory)) if (!KEPT.has(name)) await rm(inside(name));
}

async function signOne(
  processes: HostProcesses,
  directory: string,
  one: { readonly name: string; readonly commonName: string; readonly extensions: string },
): Promise<void> {
  const openssl = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await processes.run(['openssl', ...args], { cwd: directory });
    if (code === 0) return;
    throw new EngineError('Internal', 'openssl cannot make the certificates of the job', {
      cause: new Error(stderr),
    });
  };
  const [key, request] = [`${one.name}-key.pem`, `${one.name}.csr`];
  const config = ['-config', 'config'];
  await writeFile(join(directory, key), await makeKey(), { mode: 0o600 });
  await openssl('req', '-new', ...config, '-key', key, '-subj', `/CN=${one.commonName}`, '-out', request);
  const now = Date.now();
  const validity = ['-startdate', dateText(now - EARLY_MS), '-enddate', dateText(now + VALID_MS)];
  const signer = one.name === 'ca' ? ['-selfsign'] : ['-cert', 'ca.pem'];
  const files = ['-keyfile', 'ca-key.pem', '-in', request, '-out', `${one.name}.pem`];
  const how = ['-batch', '-notext', '-extensions', one.extensions];
  await openssl('ca', ...config, ...how, ...validity, ...signer, ...files);
}

async function makeKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** `YYYYMMDDHHMMSSZ`, as openssl reads it. */
function dateText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}
