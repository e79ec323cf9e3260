import { createContainer, removeContainer, startAndWait, startContainer } from '../containers.ts';
import type { Daemon } from '../daemons.ts';
import type { EngineClient } from '../engine-client.ts';
import { createMeter, createUnframer } from '../frames.ts';
import { median } from '../report.ts';
import { timeMs, type InterleavedRow, type Session } from '../row.ts';

const LOG_BYTES = 48_000_000;
const ECHOES = 40;

/** A container that has written a log of lines of 100 bytes. */
async function withLog({ client }: Daemon, round: (id: string) => Promise<number>): Promise<Session> {
  const script = `yes ${'0123456789'.repeat(9)}012345678 | head -c ${String(LOG_BYTES)}`;
  const id = await createContainer(client, ['sh', '-c', script]);
  await startAndWait(client, id);
  return { round: async () => [await round(id)], end: () => removeContainer(client, id) };
}

async function readBack(client: EngineClient, id: string, query: string): Promise<(bytes: number) => number> {
  const meter = createMeter();
  const unframe = createUnframer(meter.take);
  const logs = await client.stream('GET', `/containers/${id}/logs?stdout=1${query}`);
  for await (const chunk of logs) unframe(chunk as Buffer);
  return meter.rate;
}

/** A container that says what it is told, and a follower of its log: ms from the telling to the follower. */
async function followEcho({ client }: Daemon): Promise<Session> {
  const id = await startContainer(client, ['cat'], { stdin: true });
  const { socket } = await client.hijack(`/containers/${id}/attach?stream=1&stdin=1`);
  const logs = await client.stream('GET', `/containers/${id}/logs?stdout=1&follow=1`);
  const echo = async (): Promise<void> => {
    const heard = new Promise((resolve) => logs.once('data', resolve));
    socket.write('a line\n');
    await heard;
  };
  return {
    async round() {
      const times: number[] = [];
      for (let count = 0; count < ECHOES; count += 1) times.push(await timeMs(echo));
      return [median(times)];
    },
    async end() {
      logs.on('error', () => undefined).destroy();
      socket.destroy();
      await removeContainer(client, id);
    },
  };
}

/** Logs, read back and followed. */
export const LOG_ROWS: readonly InterleavedRow[] = [
  {
    figures: [{ name: 'logs: read back', unit: 'MB/s', goal: { atLeast: 20 } }],
    rounds: 5,
    begin: (daemon) => withLog(daemon, async (id) => (await readBack(daemon.client, id, ''))(LOG_BYTES)),
  },
  {
    figures: [{ name: 'logs: the last 10 lines of many', unit: 'ms', goal: { atMost: 1 } }],
    rounds: 21,
    begin: (daemon) =>
      withLog(daemon, (id) => timeMs(async () => (await readBack(daemon.client, id, '&tail=10'))(1000))),
  },
  {
    figures: [{ name: 'logs: stdin to follower, p50', unit: 'ms', goal: { valueAtMost: 1 } }],
    rounds: 15,
    begin: followEcho,
  },
];
