import { randomUUID } from 'node:crypto';
import { packTar } from '../../../test/support/image-builder.ts';
import { IMAGE } from '../containers.ts';
import type { EngineClient } from '../engine-client.ts';
import { timeMs, type InterleavedRow, type Measured, type Stage, type StagedRow } from '../row.ts';

const NEW_JOBS = 5;

/** Twelve steps: six that run something, six that copy. Nothing of it is in any cache before the first build of a nonce. */
async function makeContext(nonce: string): Promise<Buffer> {
  const steps = Array.from({ length: 6 }, (_, index) => [
    `COPY file-${String(index)} /srv/`,
    `RUN cat /srv/file-${String(index)} > /srv/made-${String(index)}`,
  ]);
  const files = steps.map((_, index) => ({
    path: `file-${String(index)}`,
    type: 'file' as const,
    content: `${nonce} ${String(index)}\n`,
  }));
  const dockerfile = [`FROM ${IMAGE}`, ...steps.flat(), ''].join('\n');
  return packTar([{ path: 'Dockerfile', type: 'file', content: dockerfile }, ...files]);
}

/** Builds; throws unless there is an image in the end. */
async function build(client: EngineClient, context: Buffer): Promise<void> {
  const answer = await client.call('POST', '/build?t=bench-built&networkmode=none&rm=1', context);
  if (!answer.text.includes('Successfully built') || answer.text.includes('errorDetail'))
    throw new Error(`build: ${answer.text.slice(-500)}`);
}

const BUILDS: InterleavedRow = {
  figures: [
    { name: 'build of 12 steps: cold', unit: 'ms', goal: { atMost: 0.5 } },
    { name: 'build of 12 steps: cached', unit: 'ms', goal: { atMost: 1 } },
  ],
  rounds: 5,
  begin: ({ client }) =>
    Promise.resolve({
      async round() {
        const context = await makeContext(randomUUID());
        return [await timeMs(() => build(client, context)), await timeMs(() => build(client, context))];
      },
      end: async () => {
        await client.expect('DELETE', '/images/bench-built?force=1');
      },
    }),
};

/** What one job has built, another one of the same cache scope finds; dockerd's own cache is the comparison. */
const NEW_JOB: StagedRow = {
  figures: [{ name: 'build of 12 steps: cached, for a new job', unit: 'ms', goal: { atMost: 1 } }],
  measure: measureNewJobs,
};

async function measureNewJobs(stage: Stage): Promise<readonly Measured[]> {
  const context = await makeContext(randomUUID());
  const args = ['--cache-scope', 'bench'];
  const berth: number[] = [];
  const dockerd: number[] = [];
  const first = await stage.startBerth('built', { args });
  const other = await stage.startDockerd('built-d');
  try {
    for (const daemon of [first, ...(other ? [other] : [])]) {
      await daemon.client.expect('POST', '/images/load?quiet=1', stage.image);
      await build(daemon.client, context);
    }
    for (let round = 0; round < stage.atMost(NEW_JOBS); round += 1) {
      const job = await stage.startBerth(`built-${String(round)}`, { args });
      try {
        await job.client.expect('POST', '/images/load?quiet=1', stage.image);
        berth.push(await timeMs(() => build(job.client, context)));
      } finally {
        await job.stop();
      }
      if (other) dockerd.push(await timeMs(() => build(other.client, context)));
    }
  } finally {
    await first.stop();
    await other?.stop();
  }
  return NEW_JOB.figures.map((figure) => ({ ...figure, berth, dockerd }));
}

/** Builds by the classic API. */
export const BUILD_ROWS = [BUILDS, NEW_JOB];
