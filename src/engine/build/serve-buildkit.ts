import type { Duplex } from 'node:stream';
import type { SolveRequest } from '../../buildkit/types.ts';
import type { Job } from '../job.ts';
import { pruneCache } from './prune-cache.ts';
import { solveBuild, type DecodedSolve } from './solve-build.ts';

/** `POST /grpc`: serves BuildKit's control API on a connection, with the job's own builder behind it. */
export function serveBuildkit(
  job: Job,
  connection: Duplex,
  decode: (solve: SolveRequest) => DecodedSolve,
): Promise<void> {
  return job.buildkit.serveControl(connection, {
    solve: (solve, report) => solveBuild(job, { solve, decoded: decode(solve), report }),
    async prune() {
      const { SpaceReclaimed } = await pruneCache(job, { all: true, keepBytes: 0, filters: new Map() });
      return SpaceReclaimed;
    },
  });
}
