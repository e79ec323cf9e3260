import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { createBuildkitFront } from '../../src/buildkit/buildkit-front.ts';
import { connectedPair } from '../../src/buildkit/connected-pair.ts';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import type { EngineError } from '../../src/errors.ts';
import type { PruneAsked, ReportSolve, SolveRequest, Solver, UsageEntry } from '../../src/buildkit/types.ts';
import { startBuildClient, type FakeBuildClient, type Offer } from './build-client.ts';

/** What the solver of the tests has kept. */
const KEPT: UsageEntry = {
  id: 'k',
  type: 'exec.cachemount',
  description: 'mount /c',
  isInUse: false,
  isShared: false,
  sizeBytes: 5,
  createdAt: '2024-01-01T00:00:00Z',
  lastUsedAt: '2024-01-01T00:00:00Z',
  uses: 1,
};

/** Carries out what a test asks for. */
type Work = (request: SolveRequest, report: ReportSolve) => Promise<Readonly<Record<string, string>>>;

/** BuildKit's door for the tests of a file. */
export interface TestFront {
  /** A client at a door whose builds are this work. It is gone after the test, which fails where the door has failed. */
  connectWith(offer: Offer, work: Work): Promise<FakeBuildClient>;
  /** What was asked to be freed in this test. */
  readonly pruned: readonly PruneAsked[];
  /** What its clients were answered with instead of a build. */
  readonly refused: readonly EngineError[];
}

/** Makes room for the connections of a file's tests. */
export function useFront(): TestFront {
  const clients: FakeBuildClient[] = [];
  const failures: unknown[] = [];
  const pruned: PruneAsked[] = [];
  const refused: EngineError[] = [];
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-buildkit-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.leave();
    pruned.length = 0;
    refused.length = 0;
    expect(failures.splice(0)).toEqual([]);
  });
  return {
    pruned,
    refused,
    async connectWith(offer, work) {
      const front = createBuildkitFront({ directory, reportFailure: (error) => failures.push(error) });
      const [control, served] = await connectedPair(directory);
      served.on('error', () => undefined);
      void front.serveControl(served, solverOf(work, { pruned, refused }));
      const openSession = async (methods: readonly string[]): Promise<Duplex> => {
        const [session, kept] = await connectedPair(directory);
        kept.on('error', () => undefined);
        front.keepSession(kept, { id: 'session-1', methods }).catch(() => undefined);
        return session;
      };
      const client = await startBuildClient({ control, openSession }, offer);
      clients.push(client);
      return client;
    },
  };
}

function solverOf(
  work: Work,
  { pruned, refused }: { readonly pruned: PruneAsked[]; readonly refused: EngineError[] },
): Solver {
  return {
    hostGateway: '172.17.0.1',
    solve: work,
    listUsage: (filters) => Promise.resolve(filters.includes('none') ? [] : [KEPT]),
    prune: (asked) => {
      pruned.push(asked);
      return Promise.resolve([KEPT]);
    },
    onRefused: (error) => void refused.push(error),
  };
}

/** Asks for a build as one call, and answers what came of it. */
export async function build(
  { control }: FakeBuildClient,
  asked: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, string>>> {
  const { Solve } = await loadMethods('control');
  const request = { Ref: 'build-1', Session: 'session-1', Frontend: 'dockerfile.v0', ...asked };
  return (await control.unary(Solve, request)).ExporterResponse;
}
