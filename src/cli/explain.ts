import { loadCommandLine } from '../config/load.ts';
import { EngineError } from '../errors.ts';
import { explainAnywhere } from '../job/ask-control.ts';
import { jobNames } from '../job/job-names.ts';
import { recordRequest } from '../job/record-request.ts';

/** `berth explain [options] -- docker …`: the verdict on every field, and the runtime spec of a container; 0 where it would be admitted. */
export async function explain(args: readonly string[]): Promise<number> {
  const { settings, job, socket, command, ownEnv } = loadCommandLine(args, 'explain');
  if (command.length === 0)
    throw new EngineError('InvalidArgument', 'explain needs a command: berth explain -- docker run …');
  const asked = await recordRequest(command, ownEnv);
  const names = job === undefined ? undefined : jobNames(settings, job, socket);
  const explanation = await explainAnywhere(settings, names, asked);
  process.stdout.write(`${JSON.stringify(explanation, undefined, 2)}\n`);
  return explanation.admitted ? 0 : 1;
}
