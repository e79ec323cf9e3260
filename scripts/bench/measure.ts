import { setTimeout as sleep } from 'node:timers/promises';
import type { Ctr } from './ctr.ts';
import type { Daemon } from './daemons.ts';
import type { Figure, InterleavedRow, Measured, Session } from './row.ts';

/** What a daemon does behind its answer is not to slow the other one down. */
const SETTLE_MS = 150;

interface Taken {
  readonly name: 'berth' | 'dockerd' | 'floor';
  readonly session: Session;
  /** The values of each figure. */
  readonly values: readonly number[][];
  readonly cpuMs: () => number;
  /** Processor time of the rounds that count, with what goes on behind their answers. */
  spentMs: number;
}

/** Measures a row on each daemon, and on the floor where it has one, in turn. */
export async function measureRow(
  row: InterleavedRow,
  daemons: readonly Daemon[],
  ctr: Ctr,
): Promise<readonly Measured[]> {
  const all: Taken[] = [];
  const take = (name: Taken['name'], session: Session, cpuMs: () => number): void => {
    all.push({ name, session, values: row.figures.map(() => []), cpuMs, spentMs: 0 });
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

/** Round by round: the floor's processes are those of berth's containerd. */
async function measureRound(taken: Taken, isWarmUp: boolean): Promise<void> {
  const before = taken.cpuMs();
  const values = await taken.session.round();
  await sleep(SETTLE_MS);
  if (isWarmUp) return;
  taken.spentMs += taken.cpuMs() - before;
  for (const [index, value] of values.entries()) taken.values[index]?.push(value);
}

function cpuOf({ cpu, rounds }: InterleavedRow, taken: Taken): readonly number[] {
  const spentMs = taken.spentMs / rounds;
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
