import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDirectories, removeDirectories, startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';
import { runCommand, type CommandResult } from '../support/e2e-process.ts';

const job = useJob();
let contexts: string;
let count = 0;

beforeAll(async () => {
  contexts = await mkdtemp('/tmp/build-');
});
afterAll(async () => {
  await rm(contexts, { recursive: true, force: true });
});

type Files = Readonly<Record<string, string>>;

async function context(files: Files): Promise<string> {
  count += 1;
  const top = join(contexts, String(count));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(top, path)), { recursive: true });
    await writeFile(join(top, path), content);
  }
  return top;
}

async function build(files: Files, ...args: readonly string[]): Promise<CommandResult> {
  const directory = await context(files);
  return job.berth.docker(['build', ...args, directory], { env: { DOCKER_BUILDKIT: '0' } });
}

/** Builds a Dockerfile and answers what a shell in a container of the result prints, line by line. */
async function outputOf(files: Files, command: string): Promise<readonly string[]> {
  const tag = `out-${count}`;
  const built = await build(files, '-t', tag);
  expect(built.code, built.stdout + built.stderr).toBe(0);
  return (await ask(job.berth, 'run', '--rm', tag, 'sh', '-c', command)).split('\n');
}

const BASE = 'FROM busybox\n';

describe('what only newer Dockerfiles have', () => {
  test('heredocs: scripts, files, and programs of their own', async () => {
    const lines = [
      'FROM busybox',
      'ENV WHO=world',
      'RUN <<END',
      'set -e',
      'x=script',
      'echo "$x $WHO" > /script',
      'END',
      "COPY <<one <<'two' /files/",
      'hello $WHO',
      'one',
      'hello $WHO',
      'two',
      'RUN <<END',
      '#!/bin/busybox sh',
      'echo program > /program',
      'END',
      'RUN cat <<A > /a && cat <<B > /b',
      'first',
      'A',
      'second',
      'B',
      '',
    ];
    const Dockerfile = lines.join('\n');
    const out = await outputOf(
      { Dockerfile },
      'cat /script /files/one /files/two /program /a /b; ls /dev/pipes 2>/dev/null; true',
    );
    expect(out).toEqual(['script world', 'hello world', 'hello $WHO', 'program', 'first', 'second']);
  });

  test('mounts: of the context, of a stage, of a cache, of memory; none of them stays', async () => {
    const Dockerfile = [
      'FROM busybox AS other',
      'RUN mkdir /o && echo other > /o/x',
      'FROM busybox',
      'RUN --mount=type=bind,source=in,target=/in --mount=type=bind,from=other,source=/o,target=/o \\',
      '  --mount=type=tmpfs,target=/mem --mount=type=cache,target=/cache \\',
      '  cat /in/file /o/x > /result; touch /in/no || echo refused >> /result; \\',
      '  touch /mem/x /cache/x && ls /cache >> /result',
      'RUN --mount=type=cache,target=/cache ls /cache >> /result',
      'RUN --mount=type=secret,id=none true',
    ].join('\n');
    const out = await outputOf(
      { Dockerfile, 'in/file': 'context\n' },
      'cat /result; ls -d /in /o /mem /cache /run/secrets 2>/dev/null; true',
    );
    expect(out).toEqual(['context', 'other', 'refused', 'x', 'x']);
  });

  test('copies with modes, without some files, with parents, and a step without network', async () => {
    const Dockerfile = [
      'FROM busybox',
      'COPY --chmod=640 --chown=5 a/x.txt /m/',
      'COPY --exclude=*.md --link a /e/',
      'COPY --parents a/b/y.txt /p/',
      'COPY --parents ./a/./b/y.txt /q/',
      'COPY --chmod=u=rwX,go-rwx,o+X a /s/',
      'RUN --network=none ls /sys/class/net > /nets',
    ].join('\n');
    const files = { Dockerfile, 'a/x.txt': 'x', 'a/x.md': 'm', 'a/b/y.txt': 'y' };
    const out = await outputOf(
      files,
      'stat -c "%a %u:%g" /m/x.txt; stat -c %a /s/b /s/x.txt; find /e /p /q -type f | sort; cat /nets',
    );
    const found = ['/e/b/y.txt', '/e/x.txt', '/p/a/b/y.txt', '/q/b/y.txt'];
    expect(out).toEqual(['640 5:5', '701', '600', ...found, 'lo']);
  });

  test('a stage that nothing needs is not run', async () => {
    const stages = ['FROM busybox AS no', 'RUN exit 9', 'FROM busybox AS yes', 'RUN echo 1 > /1'];
    const Dockerfile = [...stages, 'FROM busybox', 'COPY --from=yes /1 /'].join('\n');
    const { code, stdout } = await build({ Dockerfile });
    expect(code).toBe(0);
    expect(stdout).not.toContain('exit 9');
    // Counted all the same, as dockerd does.
    expect(stdout).toContain('Step 6/6 : COPY');
  });

  test('ADD unpacks an archive of the context, compressed or not, and COPY does not', async () => {
    const Dockerfile = `${BASE}ADD plain.tar /p/\nADD packed.tar.gz packed.tar.xz packed.tar.bz2 /z/\nADD no.xz /n/\nCOPY plain.tar /c/\n`;
    const directory = await context({ Dockerfile, 'tree/f': 'content\n', 'no.xz': '\u00fd7zXZ\0' });
    const env = { PATH: process.env['PATH'] ?? '' };
    for (const [flags, name] of [
      ['-cf', 'plain.tar'],
      ['-czf', 'packed.tar.gz'],
      ['-cJf', 'packed.tar.xz'],
      ['-cjf', 'packed.tar.bz2'],
    ] as const) {
      const args = ['-C', join(directory, 'tree'), flags, join(directory, name), 'f'];
      expect((await runCommand({ program: 'tar', args, env })).code).toBe(0);
    }
    const built = await job.berth.docker(['build', '-t', 'archives', directory], {
      env: { DOCKER_BUILDKIT: '0' },
    });
    expect(built.code, built.stdout + built.stderr).toBe(0);
    const out = await ask(job.berth, 'run', '--rm', 'archives', 'ls', '/p', '/z', '/n', '/c');
    expect(out).toBe('/c:\nplain.tar\n\n/n:\nno.xz\n\n/p:\nf\n\n/z:\nf');
  });
});

describe('a build that fails', () => {
  test('shows what the step printed, ends with its code and gives no name', async () => {
    const Dockerfile = `${BASE}RUN echo out; echo err >&2; exit 37`;
    const { code, stdout, stderr } = await build({ Dockerfile }, '-t', 'never');
    expect(code).toBe(37);
    expect(stdout).toContain('out\n');
    expect(stdout).toContain('err');
    expect(stderr).toContain(
      "The command '/bin/sh -c echo out; echo err >&2; exit 37' returned a non-zero code: 37",
    );
    expect((await job.berth.docker(['image', 'inspect', 'never'])).code).not.toBe(0);
  });

  test('keeps the container to be looked at, unless all are to go', async () => {
    const before = await ask(job.berth, 'ps', '-aq');
    await build({ Dockerfile: `${BASE}RUN exit 4` }, '--force-rm');
    expect(await ask(job.berth, 'ps', '-aq')).toBe(before);
    await build({ Dockerfile: `${BASE}RUN exit 5` });
    const kept = (await ask(job.berth, 'ps', '-aq', '--filter', 'exited=5')).split('\n');
    expect(kept).toHaveLength(1);
    for (const id of (await ask(job.berth, 'ps', '-aq')).split('\n')) await ask(job.berth, 'rm', id);
  });

  test('quiet: the id alone, or what led to the failure', async () => {
    const good = await build({ Dockerfile: `${BASE}ENV Q=1` }, '-q');
    expect(good.stdout.trim()).toMatch(/^sha256:[0-9a-f]{64}$/);
    const bad = await build({ Dockerfile: `${BASE}RUN echo why; false` }, '-q', '--force-rm');
    expect(bad.code).toBe(1);
    expect(bad.stdout + bad.stderr).toContain('why');
  });
});

describe('the cache', () => {
  test('is hit until something changes, shown by df, and gone after a prune', async () => {
    const Dockerfile = `${BASE}ARG V\nCOPY f /f\nRUN echo $V > /v\n`;
    const hits = async (f: string, v: string): Promise<number> => {
      const { stdout } = await build({ Dockerfile, f }, '--build-arg', `V=${v}`);
      return stdout.split('Using cache').length - 1;
    };
    expect(await hits('1', 'a')).toBe(0);
    expect(await hits('1', 'a')).toBe(3);
    expect(await hits('1', 'b')).toBe(2);
    expect(await hits('2', 'a')).toBe(1);
    const usage = (): Promise<string> =>
      ask(job.berth, 'system', 'df', '--format', '{{.Type}} {{.TotalCount}}');
    expect(await usage()).toMatch(/Build Cache [1-9]/);
    await ask(job.berth, 'builder', 'prune', '-af');
    expect(await usage()).toContain('Build Cache 0');
    expect(await hits('1', 'a')).toBe(0);
  });

  test('is taken from an image that is named for it', async () => {
    const Dockerfile = `${BASE}RUN date +%s%N > /when\n`;
    await build({ Dockerfile }, '-t', 'source');
    await ask(job.berth, 'builder', 'prune', '-af');
    const { stdout } = await build({ Dockerfile }, '-t', 'again', '--cache-from', 'source');
    expect(stdout).toContain('Using cache');
    const cat = (image: string): Promise<string> => ask(job.berth, 'run', '--rm', image, 'cat', '/when');
    expect(await cat('again')).toBe(await cat('source'));
    const anew = await build({ Dockerfile }, '--cache-from', 'gone');
    expect(anew.stdout).not.toContain('Using cache');
  });
});

describe('other clients', () => {
  test('docker-py builds from a path, and is told why a build fails', async () => {
    const directory = await context({ Dockerfile: `${BASE}RUN echo py > /py\nCMD ["cat", "/py"]\n` });
    const script = `
import docker, io, sys
client = docker.from_env()
image, log = client.images.build(path=sys.argv[1], tag='py:1', rm=True)
assert image.tags == ['py:1'], image.tags
print(client.containers.run('py:1', remove=True).decode().strip())
try:
    client.images.build(fileobj=io.BytesIO(b'FROM busybox\\nRUN exit 3\\n'), rm=True, forcerm=True)
except docker.errors.BuildError as error:
    print(error)
`;
    const { code, stdout, stderr } = await runCommand({
      program: 'python3',
      args: ['-c', script, directory],
      env: { ...job.berth.clientEnv },
    });
    expect(code, stderr).toBe(0);
    const words = "The command '/bin/sh -c exit 3' returned a non-zero code: 3";
    expect(stdout.split('\n')).toEqual(['py', words, '']);
  });
});

describe('a later job of the same owner', () => {
  test('builds the same tree out of the cache, and another owner does not', async () => {
    const Dockerfile = `${BASE}ENV A=1\nCOPY f /f\nRUN date +%s%N > /when\n`;
    const directory = await context({ Dockerfile, f: 'x' });
    const directories = await makeDirectories();
    const stdoutIn = async (scope: string): Promise<string> => {
      const berth = await startBerth({ directories, args: ['--cache-scope', scope] });
      try {
        await loadBusybox(berth);
        const { code, stdout, stderr } = await berth.docker(['build', directory], {
          env: { DOCKER_BUILDKIT: '0' },
        });
        expect(code, stderr).toBe(0);
        return stdout;
      } finally {
        await berth.stop();
      }
    };
    try {
      const first = await stdoutIn('mine');
      expect(first).not.toContain('Using cache');
      const second = await stdoutIn('mine');
      expect(second.split('Using cache')).toHaveLength(4);
      const built = /Successfully built \w+/;
      expect(built.exec(second)?.[0]).toBe(built.exec(first)?.[0]);
      expect(await stdoutIn('theirs')).not.toContain('Using cache');
    } finally {
      await removeDirectories(directories);
    }
  });
});
