import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDockerd, type DockerdOracle } from '../support/dockerd-oracle.ts';
import type { CommandResult } from '../support/e2e-process.ts';
import { useJob } from '../support/e2e-job.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';
import { BUILD_CASES } from './build-table/cases.ts';
import type { BuildCase } from './build-table/rows.ts';

type Docker = (args: readonly string[]) => Promise<CommandResult>;

const job = useJob();
let oracle: DockerdOracle | undefined;
let contexts: string;

beforeAll(async () => {
  contexts = await mkdtemp('/tmp/build-table-');
  oracle = await startDockerd();
  const input = await dockerArchive([{ image: await buildImage({ cmd: ['sh'] }), tags: ['busybox:latest'] }]);
  const loaded = await oracle.docker(['load'], { input });
  if (loaded.code !== 0) throw new Error(loaded.stderr);
});

afterAll(async () => {
  await oracle?.stop();
  await rm(contexts, { recursive: true, force: true });
});

const dockerd: Docker = async (args) => {
  if (!oracle) throw new Error('dockerd has not started');
  return oracle.docker(args);
};
const berth: Docker = (args) => job.berth.docker(args, { env: { DOCKER_BUILDKIT: '0' } });

async function writeContext({ dockerfile, files = [] }: BuildCase, index: number): Promise<string> {
  const top = join(contexts, String(index));
  await mkdir(top);
  await writeFile(join(top, 'Dockerfile'), dockerfile);
  for (const entry of files) {
    const path = join(top, entry.path);
    await mkdir(dirname(path), { recursive: true });
    if (entry.type === 'symlink') await symlink(entry.target ?? '', path);
    else if (entry.type === 'directory') await mkdir(path, { recursive: true });
    else await writeFile(path, entry.content ?? '');
    if (entry.type !== 'symlink') await chmod(path, entry.mode ?? 0o644);
  }
  return top;
}

interface Built {
  readonly output: string;
  readonly config: unknown;
  readonly history: readonly string[];
  readonly files: readonly string[];
}

async function build(docker: Docker, context: string, { args = [] }: BuildCase): Promise<CommandResult> {
  const tag = `case-${context.split('/').at(-1) ?? ''}`;
  const flags = args.flatMap((arg, index) => (args[index - 1] === '-f' ? [join(context, arg)] : [arg]));
  return docker(['build', '-t', tag, ...flags, context]);
}

async function look(docker: Docker, context: string): Promise<Omit<Built, 'output'>> {
  const tag = `case-${context.split('/').at(-1) ?? ''}`;
  const inspected = await docker(['image', 'inspect', '-f', '{{json .}}', tag]);
  const history = await docker(['history', '--no-trunc', '--format', '{{.CreatedBy}}', tag]);
  const { Config: config, Author: author } = JSON.parse(inspected.stdout) as Readonly<
    Record<string, unknown>
  >;
  return {
    config: { ...meaningOf(config), author },
    history: history.stdout.trim().split('\n').map(withoutHashes),
    files: await listFiles(docker, tag),
  };
}

const PARTS = [
  ...['User', 'Env', 'Cmd', 'Entrypoint', 'WorkingDir', 'Labels', 'ExposedPorts', 'Volumes', 'OnBuild'],
  ...['Healthcheck', 'Shell', 'StopSignal'],
];

/** What a container of the image gets; what is absent, null or empty means the same. */
function meaningOf(config: unknown): Readonly<Record<string, unknown>> {
  const members = config as Readonly<Record<string, unknown>>;
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === null || value === '' || JSON.stringify(value) === '{}';
  return Object.fromEntries(PARTS.flatMap((name) => (isEmpty(members[name]) ? [] : [[name, members[name]]])));
}

function withoutHashes(line: string): string {
  // The dockerd here leaves out the blank between a flag and the hash; later ones do not.
  return line.replaceAll(/ ?(file|dir|multi):[0-9a-f]{64}/g, ' $1:HASH');
}

async function listFiles(docker: Docker, tag: string): Promise<readonly string[]> {
  const created = await docker(['create', tag, '/nothing']);
  if (created.code !== 0) throw new Error(created.stderr);
  const id = created.stdout.trim();
  const target = `${contexts}/${tag}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}.tar`;
  try {
    const exported = await docker(['export', '-o', target, id]);
    if (exported.code !== 0) throw new Error(exported.stderr);
    return await readTar(target);
  } finally {
    await docker(['rm', '-v', id]);
    await rm(target, { force: true });
  }
}

// What the runtime itself puts into every container.
const RUNTIME_FILES =
  /^(?:dev|proc|sys)(?:\/|$)|^(?:\.dockerenv|etc\/(?:hosts|hostname|resolv\.conf|mtab))$|^etc\/?$/;

async function readTar(path: string): Promise<readonly string[]> {
  const parser = extract();
  createReadStream(path).pipe(parser);
  const lines: string[] = [];
  for await (const entry of parser) {
    const { name, mode, uid, gid, type, linkname, size } = entry.header;
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(chunk as Buffer);
    if (RUNTIME_FILES.test(name)) continue;
    const content = type === 'file' ? `${size} ${hash.digest('hex').slice(0, 12)}` : linkname;
    lines.push(`${name.replace(/\/$/, '')} ${type} ${(mode & 0o7777).toString(8)} ${uid}:${gid} ${content}`);
  }
  return lines.sort();
}

const hasFiles = ({ dockerfile }: BuildCase): boolean => /^(?:RUN|COPY|ADD|WORKDIR)/im.test(dockerfile);

describe('a Dockerfile comes to the same as with dockerd', () => {
  test.concurrent.each(BUILD_CASES.map((one, index) => [one.name, one, index] as const))(
    '%s',
    async (_, one, index) => {
      const context = await writeContext(one, index);
      const [theirs, ours] = await Promise.all([build(dockerd, context, one), build(berth, context, one)]);
      expect([ours.code, ours.stderr], ours.stdout).toEqual([theirs.code, expect.any(String)]);
      if (one.fails === true) {
        expect(ours.code).not.toBe(0);
        expect(lastWords(ours)).toBe(lastWords(theirs));
        return;
      }
      const [wanted, got] = await Promise.all([look(dockerd, context), look(berth, context)]);
      expect(got.config).toEqual(wanted.config);
      expect(got.history).toEqual(wanted.history);
      if (hasFiles(one)) expect(got.files).toEqual(wanted.files);
      const again = await build(berth, context, one);
      expect(again.code).toBe(0);
      expect(again.stdout).not.toMatch(/Running in/);
    },
    120_000,
  );
});

function lastWords({ stderr }: CommandResult): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return (
    withoutHashes(line)
      .replace(/^Error response from daemon: /, '')
      // Later parsers than that of the dockerd here put all of this before what they have to say.
      .replace(/^(?:failed to parse Dockerfile: |dockerfile parse error (?:on )?line \d+: )/i, '')
      .toLowerCase()
  );
}
