import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

const job = useJob();

test('SOURCE_DATE_EPOCH: the same tree comes to the same image, with no time later than that', async () => {
  const context = await mkdtemp('/tmp/build-dated-');
  await writeFile(join(context, 'Dockerfile'), 'FROM busybox\nCOPY f /d/f\nRUN echo made > /made\n');
  await writeFile(join(context, 'f'), 'x');
  const dated = ['--no-cache', '--build-arg', 'SOURCE_DATE_EPOCH=1000000000', '-t', 'dated'];
  const ids: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    const { code, stderr } = await job.berth.docker(['build', ...dated, context], {
      env: { DOCKER_BUILDKIT: '0' },
    });
    expect(code, stderr).toBe(0);
    ids.push(await ask(job.berth, 'image', 'inspect', '-f', '{{.Id}} {{.Created}}', 'dated'));
  }
  expect(ids[1]).toBe(ids[0]);
  expect(ids[0]).toContain('2001-09-09T01:46:40');
  const times = await ask(job.berth, 'run', '--rm', 'dated', 'stat', '-c', '%Y', '/d/f', '/made', '/d');
  expect(times.split('\n')).toEqual(['1000000000', '1000000000', '1000000000']);
  await rm(context, { recursive: true });
});
