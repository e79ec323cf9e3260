import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answerManifest, manifestBytes, serveScript } from '../../test/support/scripted-server.ts';
import { proxySettings } from '../config/proxies.ts';
import { createRegistry, type RegistrySettings } from './create-registry.ts';
import { createProxyFinder } from './proxies.ts';
import { createReachFinder } from './reach.ts';
import type { Repository } from './types.ts';

// A name that only the proxy knows.
const NAME = 'registry.invalid';

interface Proxy {
  readonly url: URL;
  /** `METHOD target authorization` of each request. */
  readonly seen: readonly string[];
}

/** A proxy that takes whatever it is asked for to one place. */
async function serveProxy(target: () => string, status = 200): Promise<Proxy> {
  const seen: string[] = [];
  const note = ({ method = '', url = '', headers }: IncomingMessage): void => {
    seen.push(`${method} ${url} ${headers['proxy-authorization'] ?? '-'} ${headers.authorization ?? '-'}`);
  };
  const server = createServer((incoming, answer) => {
    note(incoming);
    const { pathname } = new URL(incoming.url ?? '');
    const onward = request(`http://${target()}${pathname}`, { method: incoming.method }, (from) => {
      answer.writeHead(from.statusCode ?? 500, from.headers);
      from.pipe(answer);
    });
    onward.end();
  });
  server.on('connect', (incoming, socket) => {
    note(incoming);
    socket.on('error', () => undefined);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const [host, port] = target().split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: new URL(`http://me:s%20ecret@127.0.0.1:${(server.address() as AddressInfo).port}`), seen };
}

function open(domain: string, proxy: URL, settings: Partial<RegistrySettings> = {}): Repository {
  const proxies = { http: proxy, https: proxy, exempt: ['direct.invalid'] };
  const registry = createRegistry(
    { registriesDir: undefined, insecureRegistries: [], proxies, ...settings },
    { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 },
  );
  onTestFinished(() => {
    registry.close();
  });
  return registry.open({
    reference: { domain, path: 'team/app' },
    familiarName: `${domain}/team/app`,
    signal: new AbortController().signal,
  });
}

const OWN = `Basic ${Buffer.from('me:s ecret').toString('base64')}`;

describe('a registry behind a proxy', () => {
  test('is reached over TLS by a tunnel, and only the proxy sees what is for it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-proxy-'));
    onTestFinished(() => rm(directory, { recursive: true }));
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
        ...[
          '-subj',
          `/CN=${NAME}`,
          '-addext',
          `subjectAltName=DNS:${NAME}`,
          '-keyout',
          'key.pem',
          '-out',
          'ca.pem',
        ],
      ],
      { cwd: directory, stdio: 'ignore' },
    );
    await mkdir(join(directory, NAME));
    await writeFile(join(directory, NAME, 'hosts.toml'), `server = "https://${NAME}"\nca = "../ca.pem"\n`);
    const reached: unknown[] = [];
    const server = createSecureServer(
      { key: await readFile(join(directory, 'key.pem')), cert: await readFile(join(directory, 'ca.pem')) },
      (incoming, answer) => {
        reached.push(incoming.headers['proxy-authorization']);
        answerManifest(answer, manifestBytes);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const proxy = await serveProxy(() => `127.0.0.1:${(server.address() as AddressInfo).port}`);
    const repository = open(NAME, proxy.url, { registriesDir: directory });
    expect((await repository.fetchManifest('v1')).size).toBe(manifestBytes.length);
    expect(proxy.seen[0]).toBe(`CONNECT ${NAME}:443 ${OWN} -`);
    expect(reached).toEqual([undefined]);
  });

  test('is reached without TLS where that is allowed', async () => {
    const server = await serveScript((_request, answer) => {
      answerManifest(answer, manifestBytes);
    });
    const proxy = await serveProxy(() => server.host);
    await open(NAME, proxy.url, { insecureRegistries: [NAME] }).fetchManifest('v1');
    expect(proxy.seen).toContain(`GET http://${NAME}/v2/team/app/manifests/v1 ${OWN} -`);
  });

  test.each(['10.1.2.3', '169.254.169.254'])(
    'at %s, which is not public, is not asked for by a proxy either',
    async (domain) => {
      const proxy = await serveProxy(() => '127.0.0.1:1');
      await expect(open(domain, proxy.url).fetchManifest('v1')).rejects.toMatchObject({
        kind: 'PermissionDenied',
      });
      expect(proxy.seen).toEqual([]);
    },
  );

  test('that this host knows to be elsewhere than in public is refused, one it does not know is not', async () => {
    const reach = createReachFinder({ insecureRegistries: [] })('registry.example');
    await expect(reach.checkName(new URL('https://localhost/'))).rejects.toMatchObject({
      kind: 'PermissionDenied',
    });
    await reach.checkName(new URL(`https://${NAME}/`));
  });

  test('says what the proxy answered, and nothing of its password', async () => {
    const proxy = await serveProxy(() => '127.0.0.1:1', 407);
    const failure = open(NAME, proxy.url).fetchManifest('v1');
    await expect(failure).rejects.toThrow('the proxy answered 407');
    await expect(failure).rejects.not.toThrow('ecret');
  });
});

describe('what is spoken to directly', () => {
  const find = (exempt: string, url: string): boolean =>
    createProxyFinder(proxySettings({ HTTPS_PROXY: 'p:1', no_proxy: exempt }))(new URL(url)) === undefined;

  test.each([
    ['', 'https://localhost/', true],
    ['', 'https://127.9.9.9:5000/', true],
    ['', 'https://[::1]:5000/', true],
    ['', 'https://a.example/', false],
    ['', 'http://a.example/', true],
    ['*', 'https://a.example/', true],
    ['a.example', 'https://a.example/', true],
    ['A.example ,b', 'https://x.a.example/', true],
    ['a.example', 'https://xa.example/', false],
    ['.a.example', 'https://a.example/', false],
    ['*.a.example', 'https://x.a.example/', true],
    ['a.example:8443', 'https://a.example/', false],
    ['a.example:443', 'https://a.example/', true],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.1.2.3', 'https://10.1.2.3:5000/', true],
    ['[2001:db8::1]:5000', 'https://[2001:db8::1]:5000/', true],
  ])('NO_PROXY=%s and %s: %s', (exempt, url, isDirect) => {
    expect(find(exempt, url)).toBe(isDirect);
  });

  test.each(['socks5://u:pass@p:1', 'http://u:pass@:x'])('a proxy that is none is refused unseen', (text) => {
    expect(() => proxySettings({ https_proxy: text })).toThrow(/^HTTPS_PROXY is not the address/);
    expect(() => proxySettings({ https_proxy: text })).not.toThrow(/pass/);
  });
});
