import { setTimeout as sleep } from 'node:timers/promises';
import { removeContainer, startContainer } from '../containers.ts';
import type { Daemon } from '../daemons.ts';
import type { EngineClient } from '../engine-client.ts';
import { timeMs, type InterleavedRow, type Session } from '../row.ts';

const AT_ONCE = 10;

interface ExecState {
  readonly Running: boolean;
  readonly ExitCode: number | null;
}

/** Creates and starts an exec, and asks until it has ended; throws unless it exits with 0. */
async function execOnce(client: EngineClient, id: string): Promise<void> {
  const body = { Cmd: ['true'], AttachStdout: true, AttachStderr: true };
  const exec = await client.expect<{ Id: string }>('POST', `/containers/${id}/exec`, body);
  await client.expect('POST', `/exec/${exec.Id}/start`, { Detach: true });
  for (;;) {
    const { Running: isRunning, ExitCode: code } = await client.expect<ExecState>(
      'GET',
      `/exec/${exec.Id}/json`,
    );
    if (!isRunning && code === 0) return;
    if (!isRunning && code !== null) throw new Error(`exec exited ${String(code)}`);
    await sleep(1);
  }
}

async function inContainer({ client }: Daemon, round: (id: string) => Promise<number>): Promise<Session> {
  const id = await startContainer(client, ['sleep', '1000']);
  return { round: async () => [await round(id)], end: () => removeContainer(client, id) };
}

/** Execs, one after the other and ten at once. */
export const EXEC_ROWS: readonly InterleavedRow[] = [
  {
    figures: [{ name: 'exec: create, start, inspect until it ended', unit: 'ms', goal: { atMost: 0.5 } }],
    cpu: { name: 'exec: CPU', unit: 'ms CPU' },
    rounds: 21,
    begin: (daemon) => inContainer(daemon, (id) => timeMs(() => execOnce(daemon.client, id))),
  },
  {
    figures: [{ name: `exec: ${String(AT_ONCE)} at once`, unit: 'per s', goal: { atLeast: 2 } }],
    rounds: 9,
    begin: (daemon) =>
      inContainer(daemon, async (id) => {
        const all = () => Promise.all(Array.from({ length: AT_ONCE }, () => execOnce(daemon.client, id)));
        return AT_ONCE / ((await timeMs(all)) / 1e3);
      }),
  },
];
