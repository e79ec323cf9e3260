import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBerth, type Berth } from '../support/e2e-berth.ts';
import { ask } from '../support/e2e-job.ts';
import { buildImage } from '../support/image-builder.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { machineLayer, placesOf } from '../support/machine-files.ts';
import { debianLayer } from '../support/popular-images.ts';
import { startRegistry, type Registry } from '../support/registry.ts';

// A service as projects have them: built in stages by one job, pushed, and pulled and run by another.

let registry: Registry;
let context: string;

beforeAll(async () => {
  registry = await startRegistry();
  context = await mkdtemp('/tmp/build-service-');
});
afterAll(async () => {
  await registry.stop();
  await rm(context, { recursive: true, force: true });
});

const DOCKERFILE = `
ARG NODE=node:20
FROM $NODE AS dependencies
WORKDIR /app
COPY package.json ./
RUN mkdir -p node_modules/greet && echo 'exports.greet = (name) => "hello " + name;' > node_modules/greet/index.js

FROM $NODE AS build
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
RUN node build.js && node dist/server.js --check

FROM $NODE
ENV PORT=8080
WORKDIR /srv
COPY --from=build --chown=node:node /app/dist ./
COPY --from=dependencies /app/node_modules node_modules
USER node
EXPOSE 8080
HEALTHCHECK --interval=1s CMD ["node", "-e", "fetch('http://127.0.0.1:8080').then((a) => process.exit(a.ok ? 0 : 1))"]
CMD ["node", "server.js"]
`;
const SERVER = `
const { greet } = require('greet');
const text = greet('NAME') + ' from uid ' + process.getuid();
if (process.argv[2] === '--check') process.exit(text.startsWith('hello') ? 0 : 1);
require('node:http').createServer((_, answer) => answer.end(text)).listen(Number(process.env.PORT));
`;
const BUILD = `
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
mkdirSync('dist');
writeFileSync('dist/server.js', readFileSync('src/server.js', 'utf8').replace('NAME', name));
`;

async function inJob(action: (berth: Berth) => Promise<void>): Promise<void> {
  const berth = await startBerth();
  try {
    await action(berth);
  } finally {
    expect((await berth.stop()).report).toMatchObject({ leaks: [] });
  }
}

async function loadNode(berth: Berth): Promise<void> {
  const base = await debianLayer();
  const node = await machineLayer([process.execPath], { without: placesOf(base) });
  const named = { type: 'symlink', path: 'usr/local/bin/node', target: process.execPath } as const;
  const layers = [base, process.execPath === '/usr/local/bin/node' ? node : [...node, named]];
  const image = await buildImage({ base: 'scratch', layers, cmd: ['node'] });
  const { code, stderr } = await berth.docker(['load'], {
    input: await dockerArchive([{ image, tags: ['node:20'] }]),
  });
  expect(code, stderr).toBe(0);
}

async function writeContext(): Promise<void> {
  await mkdir(join(context, 'src'));
  await writeFile(join(context, 'Dockerfile'), DOCKERFILE);
  await writeFile(join(context, '.dockerignore'), 'node_modules\ndist\n');
  await writeFile(join(context, 'package.json'), '{ "name": "the-service" }\n');
  await writeFile(join(context, 'build.js'), BUILD);
  await writeFile(join(context, 'src/server.js'), SERVER);
  // Left behind by a build on the developer's machine: it would win, were it not ignored.
  await mkdir(join(context, 'dist'));
  await writeFile(join(context, 'dist/server.js'), 'process.exit(9);\n');
}

test('a Node service is built in stages, pushed, and run by another job', async () => {
  const name = `${registry.host}/team/service:1`;
  await writeContext();
  await inJob(async (berth) => {
    await loadNode(berth);
    const built = await berth.docker(['build', '-t', name, context], { env: { DOCKER_BUILDKIT: '0' } });
    expect(built.code, built.stdout + built.stderr).toBe(0);
    await ask(berth, 'push', name);
  });
  await inJob(async (berth) => {
    expect(await ask(berth, 'images', '-q')).toBe('');
    await ask(berth, 'pull', name);
    await ask(berth, 'run', '-d', '--name', 'service', name);
    await expect
      .poll(() => ask(berth, 'inspect', '-f', '{{.State.Health.Status}}', 'service'), { timeout: 30_000 })
      .toBe('healthy');
    const script = "fetch('http://127.0.0.1:8080').then((a) => a.text()).then(console.log)";
    expect(await ask(berth, 'exec', 'service', 'node', '-e', script)).toBe('hello the-service from uid 1000');
    expect(await ask(berth, 'exec', 'service', 'ls', '/srv')).toBe('node_modules\nserver.js');
    await ask(berth, 'rm', '-f', 'service');
  });
});
