import { messageOf } from '../../errors.ts';
import { formatTimeNs } from '../../lib/clock.ts';
import { createDeferred } from '../../lib/deferred.ts';
import type { Container, HealthResult } from '../../state/container.ts';
import type { ExecRequest } from '../../wire/exec-request.ts';
import { createExec } from '../exec/create-exec.ts';
import { findExec } from '../exec/find-exec.ts';
import { startExec } from '../exec/start-exec.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import type { ClientStreams } from './connect-client.ts';
import { createHealthOutput } from './health-output.ts';
import type { HealthProbe } from './health-state.ts';

const SIGKILL = 9;
/** Not an exit code of any process: the probe could not be run, or not to its end. */
const NO_EXIT = -1;
/** setTimeout's limit. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/** One run of a probe, as an exec of the container; never rejects. An aborted signal kills it and leaves it behind. */
export async function runProbe(
  job: Job,
  container: Container,
  { probe, signal }: { readonly probe: HealthProbe; readonly signal: AbortSignal },
): Promise<HealthResult> {
  const start = formatTimeNs(job.nowNs());
  const outcome = await execProbe(job, container, { probe, signal }).catch((error: unknown) => ({
    exitCode: NO_EXIT,
    output: messageOf(error),
  }));
  return { start, end: formatTimeNs(job.nowNs()), ...outcome };
}

async function execProbe(
  job: Job,
  container: Container,
  { probe, signal }: { readonly probe: HealthProbe; readonly signal: AbortSignal },
): Promise<Pick<HealthResult, 'exitCode' | 'output'>> {
  const { id } = createExec(job, container.id, probeRequest(probe));
  const output = createHealthOutput();
  const started = createDeferred<undefined>();
  const ended = startExec(job, id, {
    client: collector(output),
    consoleSize: undefined,
    onStarted: () => {
      started.resolve(undefined);
    },
  });
  // The time that the runtime takes to start the process is not the probe's.
  await Promise.race([started.promise, ended]);
  const outcome = await Promise.race([
    ended.then(() => 'ended' as const),
    timeOut(probe.timeoutMs, ended),
    aborted(signal),
  ]);
  if (outcome !== 'ended') await kill(job, container, id);
  if (outcome === 'aborted') {
    job.tasks.track('aborted health check', ended);
    return { exitCode: NO_EXIT, output: '' };
  }
  await ended;
  if (outcome === 'late') return { exitCode: NO_EXIT, output: lateText(probe, output.text()) };
  const { state } = findExec(job, id);
  return { exitCode: state.status === 'exited' ? state.exitCode : NO_EXIT, output: output.text() };
}

function probeRequest({ argv }: HealthProbe): ExecRequest {
  return {
    argv,
    env: [],
    user: '',
    workingDir: '',
    tty: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
    privileged: false,
    consoleSize: undefined,
  };
}

function collector(output: { add(data: Buffer): void }): ClientStreams {
  return {
    write: (_stream, data) => {
      output.add(data);
    },
    input: {
      async *[Symbol.asyncIterator]() {
        // A probe has no stdin.
      },
    },
    signal: new AbortController().signal,
  };
}

async function timeOut(timeoutMs: number, ended: Promise<void>): Promise<'late'> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(timeoutMs, MAX_WAIT_MS), 'late');
    const clear = (): void => {
      clearTimeout(timer);
    };
    ended.then(clear, clear);
  });
}

async function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    const end = (): void => {
      resolve('aborted');
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

async function kill(job: Job, container: Container, execId: string): Promise<void> {
  await ignoreAbsent(job.containerd.tasks.kill({ containerId: container.id, execId, signal: SIGKILL }));
}

function lateText({ timeoutMs }: HealthProbe, output: string): string {
  const text = `Health check exceeded timeout (${timeoutMs < 1000 ? `${timeoutMs}ms` : `${timeoutMs / 1000}s`})`;
  return output === '' ? text : `${text}: ${output}`;
}
