import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { baseEnvironment, startProcess } from './e2e-process.ts';

/** A registry that speaks TLS alone, with a certificate of its own, and lets nobody in without a password. */
export interface SecuredRegistry {
  /** `127.0.0.1:PORT`, as it stands in an image's name. */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** A directory in the manner of containerd's certs.d, which says whom to trust for this host. */
  readonly registriesDir: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 20_000;
const username = 'tester';
const password = 'secret';
// bcrypt of the password: the machine need not have a program that makes it.
const passwordHash = '$2b$04$g/gRjEPak73R01t9E7ywFegzi2DPWpwt7gVv/PDwC70kBNdgTywPu';

/** Starts docker-registry on a free port with a directory of its own, which stop removes. */
export async function startSecuredRegistry(): Promise<SecuredRegistry> {
  const directory = await mkdtemp('/tmp/berth-registry-');
  const at = (name: string): string => join(directory, name);
  await makeCertificate(at('key.pem'), at('cert.pem'));
  await writeFile(at('htpasswd'), `${username}:${passwordHash}\n`);
  await writeFile(
    at('config.yml'),
    [
      'version: 0.1',
      'log: {level: info}',
      `storage: {filesystem: {rootdirectory: ${at('data')}}}`,
      `http: {addr: "127.0.0.1:0", tls: {certificate: ${at('cert.pem')}, key: ${at('key.pem')}}}`,
      `auth: {htpasswd: {realm: tests, path: ${at('htpasswd')}}}`,
      '',
    ].join('\n'),
  );
  const server = await startProcess({
    program: 'docker-registry',
    args: ['serve', at('config.yml')],
    env: baseEnvironment(directory),
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await server.exited;
    await rm(directory, { recursive: true });
  };
  try {
    const host = await server.waitForOutput(
      ({ stderr }) => /listening on (127\.0\.0\.1:\d+)/.exec(stderr)?.[1],
      startTimeoutMs,
    );
    const registriesDir = at('certs.d');
    const hostDir = join(registriesDir, host.replace(/:(\d+)$/, '_$1_'));
    await mkdir(hostDir, { recursive: true });
    await writeFile(
      join(hostDir, 'hosts.toml'),
      `server = "https://${host}"\nca = [${JSON.stringify(at('cert.pem'))}]\n`,
    );
    return { host, username, password, registriesDir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeCertificate(key: string, certificate: string): Promise<void> {
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', key, '-out', certificate],
  ]);
}
