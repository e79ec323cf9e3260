import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { ask, useJob } from '../support/e2e-job.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage, packTar, type LayerEntry } from '../support/image-builder.ts';
import { createScorecard } from '../support/scorecard.ts';

// Mounts through links of hostile images and volumes. Nothing stands in for what the runtime believes to be its own, and
// nothing of the machine is mounted on, read or changed.

const score = createScorecard('attacks by places of mounts');
const job = useJob();
const SECRET = `of the machine ${Math.random()}`;
/** What every container has, whatever it mounts. */
const LOOK =
  'cat /proc/keys /proc/timer_list; grep -cE " /proc/(keys|timer_list) tmpfs " /proc/mounts; ls -l /dev/null';

let outside: string;
let machineMounts: string;

beforeAll(async () => {
  outside = await mkdtemp('/tmp/berth-outside-');
  await writeFile(join(outside, 'secret'), SECRET);
  await load('links', [
    { path: 'to-dev', type: 'symlink', target: '/dev' },
    { path: 'to-root', type: 'symlink', target: '/' },
    { path: 'to-proc', type: 'symlink', target: 'proc/self' },
    { path: 'to-sys', type: 'symlink', target: 'to-root/sys' },
    { path: 'out', type: 'symlink', target: outside },
    { path: 'climb', type: 'symlink', target: `../../../../../..${outside}` },
  ]);
  for (const place of ['dev', 'proc', 'sys'])
    await load(`linked-${place}`, [{ path: place, type: 'symlink', target: '/v' }]);
  // What the runtime would take for its own null device.
  await ask(job.berth, 'run', '--rm', '-v', 'planted:/v', 'links', 'ln', '-s', '/proc/self/maps', '/v/null');
  await ask(job.berth, 'run', '--rm', '-v', 'nested:/v', 'links', 'ln', '-s', '/dev', '/v/inner');
  machineMounts = await mountsAt(outside);
});
afterAll(async () => {
  expect(await readdir(outside)).toEqual(['secret']);
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe(SECRET);
  expect(await mountsAt(outside)).toBe(machineMounts);
  await rm(outside, { recursive: true });
});

async function mountsAt(path: string): Promise<string> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => line.includes(path)).join('\n');
}

async function load(name: string, entries: readonly LayerEntry[]): Promise<void> {
  const image = await buildImage({ cmd: ['sh'], layers: [entries] });
  const input = await dockerArchive([{ image, tags: [`${name}:latest`] }]);
  const { code, stderr } = await job.berth.docker(['load'], { input });
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

/** The masks are in place: nothing is read of what they cover, and the null device is one. */
function expectMasked(stdout: string): void {
  expect(stdout).toMatch(/^crw-rw-rw- .* 1, +3 .* \/dev\/null\n$/m);
  expect(stdout).not.toContain('[stack]');
}

describe("a mount that leads to the container's own places is refused", () => {
  test.each(['/to-dev', '/to-root/dev', '/to-dev/pts', '/to-sys', '/to-sys/firmware', '/to-root/to-dev'])(
    'by a link of the image: %s',
    (place) =>
      score.row(async () => {
        const { code, stderr } = await job.berth.docker([
          'create',
          '-v',
          `planted:${place}`,
          'links',
          'true',
        ]);
        expect(stderr).toMatch(/leads to '\/(dev|sys)[a-z/]*', which is the container's own/);
        expect(code).toBe(1);
      }),
  );

  test.each(['dev', 'proc', 'sys'])('where /%s itself is a link', (place) =>
    score.row(async () => {
      const run = await job.berth.docker(['run', '--rm', '-v', 'planted:/v', `linked-${place}`, 'true']);
      expect(run.stderr).toContain(`'/${place}' is a link`);
      expect(run.code).toBe(125);
    }),
  );

  test('by a link that docker cp has put there', () =>
    score.row(async () => {
      const id = await ask(job.berth, 'create', '-v', 'planted:/v', 'links', 'sh', '-c', LOOK);
      const tar = await packTar([{ path: 'dev', type: 'symlink', target: '/v' }]);
      const { status } = await createApiClient(job.berth.ready.socket).put(
        `/containers/${id}/archive?path=/`,
        tar,
      );
      const { code, stdout, stderr } = await job.berth.docker(['start', '-a', id]);
      if (status === 200) expect(stderr).toContain("'/dev' is a link");
      else expectMasked(stdout);
      expect(code === 0).toBe(status !== 200);
      await ask(job.berth, 'rm', id);
    }));

  test('in another mount below one of them', () =>
    score.row(async () => {
      const mounts = ['-v', 'nested:/dev/outer', '-v', 'planted:/dev/outer/inner'];
      const { code, stderr } = await job.berth.docker(['run', '--rm', ...mounts, 'links', 'true']);
      expect(stderr).toContain('lies in another mount');
      expect(code).toBe(125);
    }));
});

describe('a mount through a link', () => {
  test('of another mount takes nothing from the container', () =>
    score.row(async () => {
      const mounts = ['-v', 'nested:/v', '-v', 'planted:/v/inner'];
      const { code, stdout } = await job.berth.docker(['run', '--rm', ...mounts, 'links', 'sh', '-c', LOOK]);
      expectMasked(stdout);
      expect(code).toBe(0);
    }));

  test.each([
    ['-v', 'data:/out'],
    ['-v', 'data:/climb'],
    ['-v', 'data:/out/deep/down'],
    ['--tmpfs', '/climb/t'],
    ['-v', 'data:/to-proc/cwd'],
    ['-v', 'data:/to-root/proc'],
  ])('is in the container, or nowhere: %s %s', (option, mount) =>
    score.row(async () => {
      const script = `cat /out/secret /climb/secret; ${LOOK}`;
      const run = await job.berth.docker(['run', '--rm', option, mount, 'links', 'sh', '-c', script]);
      expect(run.stdout + run.stderr).not.toContain(SECRET);
      if (run.code === 0) expectMasked(run.stdout);
    }),
  );

  test('that another container swaps all the time is never one of the machine', () =>
    score.row(async () => {
      const swap = `mkdir -p /v/d; while :; do mv /v/d /v/e; ln -s ${outside} /v/d; rm /v/d; mv /v/e /v/d; done`;
      const swapper = await ask(job.berth, 'run', '-d', '-v', 'raced:/v', 'links', 'sh', '-c', swap);
      for (let round = 0; round < 8; round += 1) {
        const mounts = ['-v', 'raced:/v', '-v', 'data:/v/d'];
        const look = `cat /v/d/secret ${outside}/secret /secret; ${LOOK}`;
        const run = await job.berth.docker(['run', '--rm', ...mounts, 'links', 'sh', '-c', look]);
        expect(run.stdout + run.stderr).not.toContain(SECRET);
        if (run.code === 0) expectMasked(run.stdout);
      }
      await ask(job.berth, 'rm', '-f', swapper);
    }));

  test.each(['-i', '-t'])('of the console is none: run %s', (option) =>
    score.row(async () => {
      const mounts = ['-v', 'nested:/v', '-v', 'planted:/v/inner'];
      const run = await job.berth.docker([
        'run',
        '--rm',
        option,
        ...mounts,
        'links',
        'ls',
        '-l',
        '/dev/null',
      ]);
      if (run.code === 0) expect(run.stdout).toMatch(/^crw/);
    }),
  );
});
