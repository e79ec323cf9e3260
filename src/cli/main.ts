import { EngineError, messageOf } from '../errors.ts';
import { BERTH_VERSION } from '../version.ts';

const USAGE = `berth: a Docker daemon for one CI job, backed by containerd

  berth serve --job ID [options]            serve the job's Docker socket until SIGTERM, then remove the job
  berth run [options] [--image IMAGE] [-v HOST:PATH[:ro]]... [-e NAME=VALUE]... [--] COMMAND...
                                            serve, run COMMAND in the job, pass its exit code through, remove the job
  berth gc [--root DIR] [--run-dir DIR]     remove what crashed jobs left, and unused images of a full disk
  berth explain [options] -- docker run ...  say what would become of a container, field by field, and make none
  berth doctor [--json]                     check the host
  berth version

options: --socket PATH  --root DIR  --run-dir DIR  --containerd ADDRESS|embedded  --config FILE
         --network isolated|host|PATH  --egress internet|all|none  --workspace DIR
         --cgroup-parent PATH  --memory SIZE  --cpus NUMBER  --pids NUMBER
         --host-platform linux|darwin|windows  --registries DIR  --cache-scope NAME
         --log-level LEVEL  --accept-weak-host
`;

/** Exit code of a command line that cannot be carried out as written. */
const EXIT_USAGE = 2;

type Command = (args: readonly string[]) => Promise<number>;

/** Loaded when they are asked for: a command does not pay for the others. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map<string, () => Promise<Command>>([
  ['serve', async () => (await import('./serve.ts')).serve],
  ['run', async () => (await import('./run.ts')).run],
  ['gc', async () => (await import('./gc.ts')).gc],
  ['explain', async () => (await import('./explain.ts')).explain],
  ['look-up', async () => (await import('./look-up.ts')).lookUp],
  ['doctor', async () => (await import('./doctor.ts')).doctor],
  ['version', () => Promise.resolve(() => print(`${BERTH_VERSION}\n`))],
  ['help', () => Promise.resolve(() => print(USAGE))],
]);

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['--version', 'version'],
  ['--help', 'help'],
  ['-h', 'help'],
]);

/** Runs the command that the arguments name and answers the process's exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  const load = COMMANDS.get(ALIASES.get(name) ?? name);
  if (!load) {
    process.stderr.write(name === '' ? USAGE : `berth: unknown command ${JSON.stringify(name)}\n\n${USAGE}`);
    return EXIT_USAGE;
  }
  try {
    const command = await load();
    return await command(rest);
  } catch (error) {
    process.stderr.write(`berth: ${describe(error)}\n`);
    return error instanceof EngineError && error.kind === 'InvalidArgument' ? EXIT_USAGE : 1;
  }
}

function print(text: string): Promise<number> {
  process.stdout.write(text);
  return Promise.resolve(0);
}

/** The chain of causes: the operator, unlike a client, may see all of it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${describe(error.cause)}`;
  return messageOf(error) + (cause.startsWith(`: ${error.message}`) ? '' : cause);
}
