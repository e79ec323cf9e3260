import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatEnvironment, writeEnvironmentFile } from './environment-file.ts';
import { jobEnvironment } from './environment.ts';

describe('formatEnvironment', () => {
  const odd = { PATH_OF_IT: '/a dir/with #$(x) and `y`', LIST: 'a=b,c:[d]' };

  it('is read back by a shell as it was', () => {
    const text = formatEnvironment(odd, 'dotenv');
    expect(text).toBe("PATH_OF_IT='/a dir/with #$(x) and `y`'\nLIST=a=b,c:[d]\n");
    const shown = execFileSync('sh', ['-c', 'eval "$(cat)"; printf "%s|%s" "$PATH_OF_IT" "$LIST"'], {
      input: text,
    });
    expect(shown.toString()).toBe(`${odd.PATH_OF_IT}|${odd.LIST}`);
  });

  it('is bare for GitLab, and has a delimiter nobody can guess for GitHub', () => {
    expect(formatEnvironment(odd, 'gitlab')).toBe(`PATH_OF_IT=${odd.PATH_OF_IT}\nLIST=${odd.LIST}\n`);
    const text = formatEnvironment({ A: 'one\nB=two', C: 'x' }, 'github');
    const [, delimiter = ''] = /^A<<(end-[0-9a-f]{16})\n/.exec(text) ?? [];
    expect(text).toBe(`A<<${delimiter}\none\nB=two\n${delimiter}\nC=x\n`);
  });

  it.each(['dotenv', 'gitlab'] as const)('%s refuses what it cannot say', (format) => {
    expect(() => formatEnvironment({ A: 'b\nc' }, format)).toThrow('A cannot be written');
  });
});

describe('writeEnvironmentFile', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-environment-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("adds to GitHub's file, and replaces any other", async () => {
    const path = join(directory, 'env');
    await writeFile(path, 'BEFORE=1\n');
    await writeEnvironmentFile(path, 'github', { A: 'b' });
    expect(await readFile(path, 'utf8')).toBe('BEFORE=1\nA=b\n');
    await writeEnvironmentFile(path, 'dotenv', { A: 'b' });
    expect(await readFile(path, 'utf8')).toBe('A=b\n');
    expect(await readdir(directory)).toEqual(['env']);
  });

  it.each(['github', 'gitlab', 'dotenv'] as const)('%s leaves alone what a link leads to', async (format) => {
    const [path, target] = [join(directory, 'env'), join(directory, 'target')];
    await writeFile(target, 'precious');
    await symlink(target, path);
    await writeEnvironmentFile(path, format, { A: 'b' }).catch(() => undefined);
    expect(await readFile(target, 'utf8')).toBe('precious');
  });
});

describe('jobEnvironment', () => {
  it('says how to reach the daemon', () => {
    expect(jobEnvironment({ kind: 'unix', path: '/run/x.sock' })).toMatchObject({
      DOCKER_HOST: 'unix:///run/x.sock',
      TESTCONTAINERS_HOST_OVERRIDE: 'localhost',
    });
    expect(jobEnvironment({ kind: 'tcp', host: '::1', port: 2376, certPath: '/c' })).toMatchObject({
      DOCKER_HOST: 'tcp://[::1]:2376',
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: '/c',
    });
  });
});
