import type { Duplex } from 'node:stream';
import type { SolveRequest, UsageEntry } from '../../buildkit/types.ts';
import type { BuildCacheRecord } from '../../wire/build-cache.ts';
import type { Job } from '../job.ts';
import { auditRefusal } from '../system/audit-refusal.ts';
import { listCache } from './list-cache.ts';
import { pruneRecords } from './prune-cache.ts';
import { solveBuild, type DecodedSolve } from './solve-build.ts';
import { solveRemotely } from './solve-remotely.ts';
import { usageFilter } from './usage-filter.ts';

/** `POST /grpc`: serves BuildKit's control API on a connection, with the job's own builder behind it, or the operator's. */
export function serveBuildkit(
  job: Job,
  connection: Duplex,
  decode: (solve: SolveRequest) => DecodedSolve,
): Promise<void> {
  const bridge = job.network.networks.find(({ name }) => name === 'bridge');
  return job.buildkit.serveControl(connection, {
    hostGateway: job.remoteBuilder ? undefined : bridge?.gateway,
    solve(solve, report) {
      const options = { solve, decoded: decode(solve), report };
      return job.remoteBuilder ? solveRemotely(job, job.remoteBuilder, options) : solveBuild(job, options);
    },
    async listUsage(filters) {
      const isChosen = usageFilter(filters);
      await job.buildCache.load();
      return (await listCache(job)).filter(isChosen).map(toUsage);
    },
    async prune({ filters, all, keepMs, keepBytes }) {
      const until = keepMs > 0 ? [`${Math.ceil(keepMs)}ms`] : [];
      const isChosen = usageFilter(filters);
      const age = new Map(until.length > 0 ? [['until', until]] : []);
      return (await pruneRecords(job, { all, keepBytes, filters: age, isChosen })).map(toUsage);
    },
    onRefused(error) {
      auditRefusal(job, error, { what: 'POST /grpc' });
    },
  });
}

function toUsage(record: BuildCacheRecord): UsageEntry {
  return {
    id: record.ID,
    type: record.Type,
    description: record.Description,
    isInUse: record.InUse,
    isShared: record.Shared,
    sizeBytes: record.Size,
    createdAt: record.CreatedAt,
    lastUsedAt: record.LastUsedAt,
    uses: record.UsageCount,
  };
}
