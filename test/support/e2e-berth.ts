import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach } from 'vitest';
import {
  baseEnvironment,
  endProcess,
  runCommand,
  startProcess,
  type CommandResult,
  type ProcessOutput,
  type RunningProcess,
} from './e2e-process.ts';
import { parseMounts } from './leaks.ts';

/** Where one or more berths of a test keep what they have; short, since a socket's path has 107 bytes at most. */
export interface BerthDirectories {
  readonly home: string;
  readonly root: string;
  readonly runDir: string;
}

/** What to start; everything has a default. */
export interface BerthOptions {
  readonly job?: string;
  /** More arguments of `berth serve`. */
  readonly args?: readonly string[];
  /** Text of the configuration file. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Those of another berth, to share its root or to start the same job again; not removed by stop then. */
  readonly directories?: BerthDirectories;
}

/** The line that says that berth serves. */
export interface ReadyLine {
  readonly ready: true;
  readonly job: string;
  readonly socket: string;
  readonly controlSocket: string;
  readonly containerd: string;
  readonly namespace: string;
  readonly netns: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The last line: what the end of the job found. */
export interface TeardownReport {
  readonly closed: true;
  readonly leaks: readonly unknown[];
}

/** How berth ended, with its report where it still wrote one. */
export interface BerthEnd {
  readonly code: number;
  readonly report: TeardownReport | undefined;
}

/** Options of one docker command. */
export interface DockerOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** A berth that serves, with a docker CLI beside it. */
export interface Berth {
  readonly ready: ReadyLine;
  readonly pid: number;
  readonly directories: BerthDirectories;
  /** What a client program needs in its environment to talk to this berth. */
  readonly clientEnv: Readonly<Record<string, string>>;
  /** Runs the docker CLI; a command that failed is an answer. */
  docker(args: readonly string[], options?: DockerOptions): Promise<CommandResult>;
  /** Ends the job, waits for the report, and removes the directories that this berth made. */
  stop(signal?: NodeJS.Signals): Promise<BerthEnd>;
  /** Kills berth alone; what it served stays, and the directories too. */
  kill9(): Promise<void>;
  logs(): string;
}

const readyTimeoutMs = 60_000;
const endTimeoutMs = 60_000;
const program = resolve(import.meta.dirname, '../../bin/berth');

/** Makes empty directories for startBerth; removeDirectories takes them away. */
export async function makeDirectories(): Promise<BerthDirectories> {
  const home = await mkdtemp('/tmp/berth-');
  return { home, root: join(home, 'root'), runDir: join(home, 'run') };
}

/** Removes the directories, but fails where anything is still mounted in them: removing would go through it. */
export async function removeDirectories({ home }: BerthDirectories): Promise<void> {
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const left = mounts.filter((mount) => mount.startsWith(`${home}/`));
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
  await rm(home, { recursive: true, force: true });
}

/** Runs bin/berth to its end, for `run`, `gc`, `doctor` and starts that must fail. */
export function runBerth(
  args: readonly string[],
  options: DockerOptions & { readonly home: string },
): Promise<CommandResult> {
  const env = { ...baseEnvironment(options.home), ...options.env };
  return runCommand({ ...options, program, args, env });
}

/** Starts `berth serve` and waits until it is ready; where it never is, the error holds its log. */
export async function startBerth(options: BerthOptions = {}): Promise<Berth> {
  const directories = options.directories ?? (await makeDirectories());
  const { home, root, runDir } = directories;
  const job = options.job ?? `t${Math.random().toString(36).slice(2, 8)}`;
  const args = ['serve', '--job', job, '--root', root, '--run-dir', runDir, ...(options.args ?? [])];
  if (options.config !== undefined) {
    const file = join(home, `${job}.toml`);
    await writeFile(file, options.config);
    args.push('--config', file);
  }
  const env = { ...baseEnvironment(home), ...options.env };
  const server = await startProcess({ program, args, env });
  try {
    const ready = await server.waitForOutput(findReadyLine, readyTimeoutMs);
    return toBerth({ server, ready, directories, ownsDirectories: options.directories === undefined });
  } catch (error) {
    await endProcess(server, 'SIGTERM', endTimeoutMs);
    if (options.directories === undefined) await removeDirectories(directories);
    throw error;
  }
}

/** Shows the logs of a file's berths where one of its tests fails; call it once, outside of the tests. */
export function showLogsOnFailure(berths: () => readonly Berth[]): void {
  afterEach(({ task }) => {
    if (task.result?.state !== 'fail') return;
    for (const berth of berths()) process.stderr.write(`log of ${berth.ready.job}:\n${berth.logs()}\n`);
  });
}

interface Started {
  readonly server: RunningProcess;
  readonly ready: ReadyLine;
  readonly directories: BerthDirectories;
  readonly ownsDirectories: boolean;
}

function toBerth({ server, ready, directories, ownsDirectories }: Started): Berth {
  const clientEnv = {
    ...baseEnvironment(directories.home),
    DOCKER_HOST: `unix://${ready.socket}`,
    DOCKER_CONFIG: join(directories.home, 'docker'),
    DOCKER_CLI_HINTS: 'false',
  };
  return {
    ready,
    pid: server.pid,
    directories,
    clientEnv,
    logs: () => server.stderr(),
    docker: (args, options = {}) =>
      runCommand({ ...options, program: 'docker', args, env: { ...clientEnv, ...options.env } }),
    stop: async (signal = 'SIGTERM') => {
      const { code } = await endProcess(server, signal, endTimeoutMs);
      if (ownsDirectories) await removeDirectories(directories);
      return { code, report: findReport(server.stdout()) };
    },
    kill9: async () => {
      server.kill('SIGKILL');
      await server.exited;
    },
  };
}

function findReadyLine({ stdout }: ProcessOutput): ReadyLine | undefined {
  const end = stdout.indexOf('\n');
  if (end === -1) return undefined;
  const line: unknown = JSON.parse(stdout.slice(0, end));
  if (!isRecord(line) || line['ready'] !== true) throw new Error(`not the line of a ready berth: ${stdout}`);
  return line as unknown as ReadyLine;
}

function findReport(stdout: string): TeardownReport | undefined {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{"closed"')) return undefined;
  return JSON.parse(last) as TeardownReport;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
