import { constants } from 'node:os';
import { loadCommandLine, type CommandLine } from '../config/load.ts';
import { EngineError, messageOf } from '../errors.ts';
import { closeJob } from '../job/close-job.ts';
import { jobNames } from '../job/job-names.ts';
import { openJob, type OpenJob } from '../job/open-job.ts';
import { runInJobContainer } from '../job/run-in-job-container.ts';
import { runInJobNetns } from '../job/run-in-job-netns.ts';
import { createRandomId } from '../lib/random-id.ts';
import { createLogger } from '../logger.ts';
import { requireRoot } from './require-root.ts';

/** Docker's exit code for "the command was never run". */
const EXIT_NOT_RUN = 125;

/** `berth run`: a whole job around one command; its exit code is passed through, unless traces of the job are left. */
export async function run(args: readonly string[]): Promise<number> {
  requireRoot();
  const commandLine = loadCommandLine(args, 'run');
  if (commandLine.command.length === 0) throw new EngineError('InvalidArgument', 'run needs a command');
  if (commandLine.image === undefined && commandLine.volumes.length > 0)
    throw new EngineError(
      'InvalidArgument',
      'run takes -v only with --image: without one the command sees the host',
    );
  const { settings, job, socket } = commandLine;
  const interrupt = new AbortController();
  const signals: NodeJS.Signals[] = [];
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      signals.push(signal);
      interrupt.abort(signal);
    });
  const open = await openJob({
    settings,
    names: jobNames(settings, job ?? `run-${createRandomId().slice(0, 12)}`, socket),
    log: createLogger(settings.logLevel),
    onStop: () => {
      interrupt.abort('SIGTERM');
    },
  });
  const exitCode = await runCommand(open, commandLine, interrupt.signal);
  const report = await closeJob(open);
  process.stdout.write(`${JSON.stringify({ ...report, exitCode })}\n`);
  const [signal] = signals;
  if (signal !== undefined && exitCode === 0) return 128 + constants.signals[signal];
  return exitCode === 0 && report.leaks.length > 0 ? 1 : exitCode;
}

async function runCommand(open: OpenJob, commandLine: CommandLine, signal: AbortSignal): Promise<number> {
  try {
    return await (commandLine.image === undefined
      ? runInJobNetns(open, commandLine, signal)
      : runInJobContainer(open, { ...commandLine, image: commandLine.image }, signal));
  } catch (error) {
    process.stderr.write(`berth: ${messageOf(error)}\n`);
    return EXIT_NOT_RUN;
  }
}
