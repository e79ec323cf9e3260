import type { RequestListener } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  answerManifest,
  basicHeader,
  credentials,
  describeBlob,
  manifestBytes,
  openRepository,
  serveScript,
} from '../../test/support/scripted-server.ts';

const content = Buffer.alloc(300_000, 'content of a layer ');

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('mirrors', () => {
  async function configure(domain: string, toml: string): Promise<string> {
    const registriesDir = await mkdtemp(join(tmpdir(), 'berth-registries-'));
    onTestFinished(() => rm(registriesDir, { recursive: true }));
    const directory = join(registriesDir, domain.replace(/:(\d+)$/, '_$1_'));
    await mkdir(directory);
    await writeFile(join(directory, 'hosts.toml'), toml);
    return registriesDir;
  }

  test('come first, in the order of the file, and are told the registry they stand for', async () => {
    const down = await serveScript((_request, response) => {
      response.writeHead(500);
      response.end();
    });
    const mirror = await serveScript((_request, response) => answerManifest(response, manifestBytes));
    const origin = await serveScript((_request, response) => answerManifest(response, manifestBytes));
    const registriesDir = await configure(
      'registry.example:5000',
      `server = "http://${origin.host}"\n[host."http://${down.host}"]\n[host."http://${mirror.host}/cache"]\n`,
    );
    await openRepository('registry.example:5000', { registriesDir }).resolve('v1');
    expect(down.seen).toHaveLength(1);
    expect(mirror.seen[0]?.url).toBe('/cache/v2/team/app/manifests/v1?ns=registry.example%3A5000');
    expect(origin.seen).toEqual([]);
  });

  test("never get the client's credentials; the registry itself does", async () => {
    const challenge: RequestListener = (request, response) => {
      if (request.headers.authorization === basicHeader) answerManifest(response, manifestBytes);
      else {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' });
        response.end();
      }
    };
    const mirror = await serveScript(challenge);
    const origin = await serveScript(challenge);
    const registriesDir = await configure(
      'docker.io',
      `server = "http://${origin.host}"\n[host."http://${mirror.host}"]\ncapabilities = ["pull", "resolve"]\n`,
    );
    await openRepository('docker.io', { registriesDir, credentials }).resolve('v1');
    expect(mirror.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(origin.seen.at(-1)?.authorization).toBe(basicHeader);
  });

  test('are only asked for what they can do; a path is kept where the file says so', async () => {
    const mirror = await serveScript((_request, response) => response.end(content));
    const origin = await serveScript((_request, response) => answerManifest(response, manifestBytes));
    const registriesDir = await configure(
      '_default',
      `server = "http://${origin.host}"\n[host."http://${mirror.host}/api"]\ncapabilities = ["pull"]\noverride_path = true\n`,
    );
    const repository = openRepository('any.example', { registriesDir });
    await repository.resolve('v1');
    expect(describeBlob(await collect(repository.fetchBlob(describeBlob(content))))).toEqual(
      describeBlob(content),
    );
    expect(origin.seen.map(({ method }) => method)).toEqual(['HEAD']);
    expect(mirror.seen.map(({ url }) => url)).toEqual([
      `/api/team/app/blobs/${describeBlob(content).digest}?ns=any.example`,
    ]);
  });

  test.each([
    ['no TOML', 'x'],
    ['another scheme', 'server = "ftp://x"'],
    ['an unknown capability', '[host."https://x"]\ncapabilities = ["fly"]'],
    ['a certificate that is not there', '[host."https://x"]\nca = "missing.pem"'],
  ])("a file with %s is an error of the operator's", async (_what, toml) => {
    const registriesDir = await configure('registry.example', toml);
    await expect(openRepository('registry.example', { registriesDir }).resolve('v1')).rejects.toMatchObject({
      kind: 'Internal',
    });
  });
});
