import { setTimeout as sleep } from 'node:timers/promises';
import type { Ctr } from './ctr.ts';
import type { Daemon } from './daemons.ts';
import type { Figure, InterleavedRow, Measured, Session } from './row.ts';

/** What a daemon does behind its answer is not to slow the other one down. */
const SETTLE_MS = 60;

interface Taken {
  readonly name: 'berth' | 'dockerd' | 'floor';
  readonly session: Session;
  /** The values of each figure. */
  readonly values: readonly number[][];
  readonly cpuMs: () => number;
  cpuAtStartMs: number;
}

/** Measures a row on each daemon, and on the floor where it has one, in turn. */
export async function measureRow(
  row: InterleavedRow,
  daemons: readonly Daemon[],
  ctr: Ctr,
): Promise<readonly Measured[]> {
  const all: Taken[] = [];
  const take = (name: Taken['name'], session: Session, cpuMs: () => number): void => {
    all.push({ name, session, values: row.figures.map(() => []), cpuMs, cpuAtStartMs: 0 });
  };
  try {
    for (const daemon of daemons) take(daemon.name, await row.begin(daemon), () => daemon.group.cpuMs());
    if (row.floor) take('floor', await row.floor(ctr), () => Number.NaN);
    for (let round = 0; round <= row.rounds; round += 1)
      for (const taken of all) await measureRound(taken, round === 0);
    return [
      ...row.figures.map((figure, index) => gather(figure, all, (taken) => taken.values[index] ?? [])),
      ...(row.cpu ? [gather(row.cpu, all, (taken) => cpuOf(row, taken))] : []),
    ];
  } finally {
    for (const { session } of all) await session.end?.();
  }
}

async function measureRound(taken: Taken, isWarmUp: boolean): Promise<void> {
  const values = await taken.session.round();
  await sleep(SETTLE_MS);
  if (isWarmUp) taken.cpuAtStartMs = taken.cpuMs();
  else for (const [index, value] of values.entries()) taken.values[index]?.push(value);
}

/** All of the rounds together: what is done behind an answer may fall into the next round. */
function cpuOf({ cpu, rounds }: InterleavedRow, taken: Taken): readonly number[] {
  const spentMs = (taken.cpuMs() - taken.cpuAtStartMs) / rounds;
  if (Number.isNaN(spentMs)) return [];
  return [cpu?.bytes === undefined ? spentMs : spentMs / 1e3 / (cpu.bytes / 1e9)];
}

function gather(
  figure: Figure,
  all: readonly Taken[],
  valuesOf: (taken: Taken) => readonly number[],
): Measured {
  const of = (name: Taken['name']): readonly number[] => {
    const taken = all.find((one) => one.name === name);
    return taken ? valuesOf(taken) : [];
  };
  const floor = of('floor');
  return { ...figure, berth: of('berth'), dockerd: of('dockerd'), ...(floor.length > 0 ? { floor } : {}) };
}
