import type {
  GoogleTimestampInput,
  PruneRequest,
  StatusResponseInput,
  UsageRecordInput,
} from './generated/control.ts';
import type { PruneAsked, SolveProgress, SolveStep, UsageEntry } from './types.ts';

const NS_PER_MS = 1e6;

function timestampOf(ms: number): GoogleTimestampInput {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

function vertexOf({ digest, name, inputs, isCached, startedAt, completedAt, error }: SolveStep): object {
  return {
    digest,
    name,
    inputs,
    cached: isCached,
    error,
    ...(startedAt === undefined ? {} : { started: timestampOf(startedAt) }),
    ...(completedAt === undefined ? {} : { completed: timestampOf(completedAt) }),
  };
}

/** A build's progress in BuildKit's form. */
export function statusOf(progress: SolveProgress): StatusResponseInput {
  if (progress.kind === 'step') return { vertexes: [vertexOf(progress.step)] };
  const { digest: vertex, isError, bytes: msg } = progress;
  return { logs: [{ vertex, timestamp: timestampOf(Date.now()), stream: isError ? 2 : 1, msg }] };
}

/** What builds have kept, in BuildKit's form. */
export function usageRecordOf(entry: UsageEntry): UsageRecordInput {
  return {
    ID: entry.id,
    Mutable: entry.type !== 'regular',
    InUse: entry.isInUse,
    Size: entry.sizeBytes,
    CreatedAt: timestampOf(Date.parse(entry.createdAt)),
    LastUsedAt: timestampOf(Date.parse(entry.lastUsedAt)),
    UsageCount: entry.uses,
    Description: entry.description,
    RecordType: entry.type,
    Shared: entry.isShared,
  };
}

/** What a client wants to be freed. */
export function pruneAskedOf({
  filter,
  all,
  keepDuration,
  keepBytes,
  maxUsedSpace,
}: PruneRequest): PruneAsked {
  return {
    filters: filter,
    all,
    keepMs: keepDuration / NS_PER_MS,
    keepBytes: Math.max(keepBytes, maxUsedSpace),
  };
}
