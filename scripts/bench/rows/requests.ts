import { createContainer, removeContainer } from '../containers.ts';
import type { Daemon } from '../daemons.ts';
import { timeMs, type InterleavedRow, type Session } from '../row.ts';

const LISTED = 200;
const AT_ONCE = 10;

async function inspecting({ client }: Daemon): Promise<Session> {
  const id = await createContainer(client, ['true']);
  return {
    round: async () => [await timeMs(() => client.expect('GET', `/containers/${id}/json`))],
    end: () => removeContainer(client, id),
  };
}

async function listing({ client }: Daemon): Promise<Session> {
  const ids: string[] = [];
  while (ids.length < LISTED)
    ids.push(
      ...(await Promise.all(Array.from({ length: AT_ONCE }, () => createContainer(client, ['true'])))),
    );
  const list = async (): Promise<void> => {
    const { length } = await client.expect<readonly unknown[]>('GET', '/containers/json?all=1');
    if (length !== LISTED) throw new Error(`${String(length)} containers are listed`);
  };
  return {
    round: async () => [await timeMs(list)],
    end: async () => {
      for (const id of ids) await removeContainer(client, id);
    },
  };
}

/** Questions. */
export const REQUEST_ROWS: readonly InterleavedRow[] = [
  { figures: [{ name: 'inspect', unit: 'ms', goal: { atMost: 1 } }], rounds: 51, begin: inspecting },
  { figures: [{ name: 'list of 200', unit: 'ms', goal: { atMost: 0.5 } }], rounds: 15, begin: listing },
];
