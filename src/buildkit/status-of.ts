import type { GoogleTimestampInput, StatusResponseInput } from './generated/control.ts';
import type { SolveProgress, SolveStep } from './types.ts';

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
