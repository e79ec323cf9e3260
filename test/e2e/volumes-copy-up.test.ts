import { expect, test } from 'vitest';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';
import { ask, useJob } from '../support/e2e-job.ts';

const job = useJob();
const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '--rm', ...args);

test('volumes start with what the image has, unless that is not wanted', async () => {
  const layers = [[{ path: 'srv/file', type: 'file', content: 'from the image' } as const]];
  const image = await buildImage({ layers });
  await job.berth.docker(['load'], { input: await dockerArchive([{ image, tags: ['with-files:1'] }]) });
  const list = ['with-files:1', 'sh', '-c', 'ls -A /srv'];
  expect(await run('-v', 'plain:/srv:nocopy', ...list)).toBe('');
  expect(await run('--mount', 'type=volume,source=mounted,target=/srv,volume-nocopy', ...list)).toBe('');
  expect(await run('-v', 'plain:/srv', ...list)).toBe('file');
  // One with files of its own stays as it is.
  await run('-v', 'mounted:/v', 'busybox', 'touch', '/v/own');
  expect(await run('-v', 'mounted:/srv', ...list)).toBe('own');
  await ask(job.berth, 'volume', 'rm', 'plain', 'mounted');
});
