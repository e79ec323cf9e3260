import { loadCommandLine, type CommandLine } from '../config/load.ts';
import { EngineError } from '../errors.ts';
import { createDeferred } from '../lib/deferred.ts';
import { createLogger } from '../logger.ts';
import { jobEnvironment } from '../job/environment.ts';
import { writeEnvironmentFile } from '../job/environment-file.ts';
import { jobNames } from '../job/job-names.ts';
import { openJob, type OpenJob } from '../job/open-job.ts';
import { requireRoot } from './require-root.ts';

/** `berth serve`: one JSON line when ready, one when closed; 0 only where nothing of the job is left. */
export async function serve(args: readonly string[]): Promise<number> {
  requireRoot();
  const { job: jobId, socket, settings, envFile } = loadCommandLine(args, 'serve');
  if (jobId === undefined) throw new EngineError('InvalidArgument', 'serve needs --job ID');
  const log = createLogger(settings.logLevel);
  // A reader that has gone does not keep the job from its end, nor from the exit code that tells of it.
  process.stdout.on('error', (error) => {
    log.warn({ err: error }, 'nobody reads what is told of the job');
  });
  const stop = createDeferred<'stop'>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stop.resolve('stop');
    });
  const open = await openJob({
    settings,
    names: jobNames(settings, jobId, socket),
    log,
    onStop: () => {
      stop.resolve('stop');
    },
  });
  const announced = announce(open, envFile);
  announced.catch(() => undefined);
  // Not needed to start, and starting is what a client waits for; but loaded while its file is surely this program's own.
  const { closeJob } = await import('../job/close-job.ts');
  try {
    await announced;
  } catch (error) {
    await closeJob(open);
    throw error;
  }
  await stop.promise;
  const report = await closeJob(open);
  writeLine(report);
  return report.leaks.length === 0 ? 0 : 1;
}

async function announce(open: OpenJob, envFile: CommandLine['envFile']): Promise<void> {
  const env = jobEnvironment(open.address);
  if (envFile) await writeEnvironmentFile(envFile.path, envFile.format, env);
  writeLine(readyLine(open, env));
}

function readyLine({ job }: OpenJob, env: Readonly<Record<string, string>>): unknown {
  const { paths } = job;
  return {
    ready: true,
    job: job.id,
    socket: paths.socket,
    controlSocket: paths.controlSocket,
    containerd: job.containerd.address,
    namespace: job.namespace,
    netns: job.network.netnsPath,
    env,
  };
}

function writeLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
