import { randomUUID } from 'node:crypto';
import { createContainer, IMAGE, removeContainer, beginWait, type ContainerShape } from '../containers.ts';
import { runProgram } from '../ctr.ts';
import type { EngineClient } from '../engine-client.ts';
import { timeMs, type InterleavedRow } from '../row.ts';

const AT_ONCE = 20;

/** Creates, starts, waits and removes; answers ms of all of it, and of the start alone. */
async function runOnce(client: EngineClient, shape: ContainerShape): Promise<readonly [number, number]> {
  let startMs = 0;
  const allMs = await timeMs(async () => {
    const id = await createContainer(client, ['true'], shape);
    const exit = await beginWait(client, id, 'next-exit');
    startMs = await timeMs(() => client.expect('POST', `/containers/${id}/start`));
    await exit();
    await client.expect('DELETE', `/containers/${id}`);
  });
  return [allMs, startMs];
}

function onNetwork(name: string, publishes: boolean): InterleavedRow {
  const shape = { network: 'bridge', publishes };
  return {
    figures: [{ name, unit: 'ms', goal: { atMost: 0.28 } }],
    rounds: 15,
    begin: ({ client }) => Promise.resolve({ round: async () => [(await runOnce(client, shape))[0]] }),
  };
}

/** Short runs, one after the other and many at once. */
export const RUN_ROWS: readonly InterleavedRow[] = [
  {
    figures: [
      {
        name: 'run: create, start, wait, remove; no network',
        unit: 'ms',
        goal: { atMost: 0.28, floorAtMost: 0.6 },
      },
      { name: 'run: the start call alone', unit: 'ms', goal: { atMost: 0.08 } },
    ],
    cpu: { name: 'run: CPU', unit: 'ms CPU', goal: { atMost: 0.28 } },
    rounds: 21,
    begin: ({ client }) => Promise.resolve({ round: () => runOnce(client, {}) }),
    floor: (ctr) => Promise.resolve({ round: async () => [await timeMs(() => ctr.run(['true']))] }),
  },
  onNetwork('run: on the default bridge', false),
  onNetwork('run: on the bridge, with a published port', true),
  {
    figures: [{ name: `run: ${String(AT_ONCE)} at once`, unit: 'per s', goal: { atLeast: 3 } }],
    rounds: 5,
    begin: ({ client }) =>
      Promise.resolve({
        async round() {
          const ms = await timeMs(() =>
            Promise.all(Array.from({ length: AT_ONCE }, () => runOnce(client, {}))),
          );
          return [AT_ONCE / (ms / 1e3)];
        },
      }),
  },
  {
    figures: [{ name: 'run: docker run --rm, by the CLI', unit: 'ms', goal: { atMost: 0.35 } }],
    rounds: 15,
    begin: ({ socket }) =>
      Promise.resolve({
        async round() {
          const args = ['-H', `unix://${socket}`, 'run', '--rm', '--network', 'none', IMAGE, 'true'];
          return [await timeMs(() => runProgram('docker', args))];
        },
      }),
  },
  {
    figures: [{ name: 'kill to die event', unit: 'ms', goal: { atMost: 0.2 } }],
    rounds: 15,
    begin: ({ client }) => Promise.resolve({ round: async () => [await killToDie(client)] }),
  },
];

async function killToDie(client: EngineClient): Promise<number> {
  const name = `kill-${randomUUID()}`;
  const id = await createContainer(client, ['sleep', '1000'], { name });
  await client.expect('POST', `/containers/${id}/start`);
  const filters = encodeURIComponent(JSON.stringify({ container: [id], event: ['die'] }));
  const events = await client.stream('GET', `/events?filters=${filters}`);
  const died = new Promise((resolve, reject) => {
    events.once('data', resolve);
    events.once('error', reject);
  });
  const ms = await timeMs(async () => {
    await client.expect('POST', `/containers/${id}/kill`);
    await died;
  });
  // Cutting it is an error of the stream, and meant.
  events.on('error', () => undefined).destroy();
  await removeContainer(client, id);
  return ms;
}
