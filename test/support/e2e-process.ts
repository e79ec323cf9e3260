import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What to start: nothing is inherited from the environment of the tests. */
export interface ProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** How a process ended. */
export interface Exit {
  /** Exit code, or 128 + the signal's number as a shell has it where a signal ended it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
}

/** A process that goes on while the test talks to it. */
export interface RunningProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Waits for output that the function accepts; rejects, with all output, at the exit and after the time. */
  waitForOutput<T>(find: (output: ProcessOutput) => T | undefined, timeoutMs: number): Promise<T>;
  kill(signal: NodeJS.Signals): void;
}

/** All that a process has written so far. */
export interface ProcessOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** A command with what goes to its stdin and how long it may take. */
export interface CommandOptions extends ProcessOptions {
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
}

/** How a command ended, with all it wrote. */
export interface CommandResult extends ProcessOutput {
  readonly code: number;
}

const signalNumbers: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** The variables that programs need to be found and to have a home; everything else is left out. */
export function baseEnvironment(home: string): Record<string, string> {
  const path = process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  return { PATH: `${path}:/usr/sbin:/sbin`, HOME: home, LANG: 'C.UTF-8' };
}

/** Starts a process, and keeps what it writes. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const child = spawn(options.program, options.args, {
    env: options.env,
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  const exited = new Promise<Exit>((settle) => {
    child.once('close', (code, signal) => settle(toExit(code, signal)));
  });
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
      for (const listener of listeners) listener();
    });
  }
  await once(child, 'spawn');
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${options.program} has no pid`);
  return {
    pid,
    exited,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    kill: (signal) => void child.kill(signal),
    waitForOutput: async (find, timeoutMs) => {
      const watched = { written, listeners, exited };
      return await waitForOutput(watched, find, timeoutMs);
    },
  };
}

/** Sends the signal and waits for the end; a process that takes longer is killed, and the error shows its log. */
export async function endProcess(
  process: RunningProcess,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<Exit> {
  const timer = setTimeout(() => process.kill('SIGKILL'), timeoutMs);
  process.kill(signal);
  const exit = await process.exited;
  clearTimeout(timer);
  if (exit.signal === 'SIGKILL' && signal !== 'SIGKILL') {
    throw new Error(`no end within ${timeoutMs} ms after ${signal}\n${process.stderr()}`);
  }
  return exit;
}

interface Watched {
  readonly written: ProcessOutput;
  readonly listeners: Set<() => void>;
  readonly exited: Promise<Exit>;
}

function waitForOutput<T>(
  { written, listeners, exited }: Watched,
  find: (output: ProcessOutput) => T | undefined,
  timeoutMs: number,
): Promise<T> {
  return new Promise<T>((settle, fail) => {
    const stop = (): void => {
      clearTimeout(timer);
      listeners.delete(look);
    };
    const giveUp = (why: string): void => {
      stop();
      fail(new Error(`${why}\nstdout:\n${written.stdout}\nstderr:\n${written.stderr}`));
    };
    const look = (): void => {
      try {
        const found = find(written);
        if (found === undefined) return;
        stop();
        settle(found);
      } catch (error) {
        stop();
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const timer = setTimeout(() => giveUp(`nothing of the kind within ${timeoutMs} ms`), timeoutMs);
    listeners.add(look);
    void exited.then(({ code }) => giveUp(`ended with exit code ${code} before`));
    look();
  });
}

/** Runs a command with a terminal for stdin and both outputs; what is typed is the input, and then the end of it. */
export function runInTerminal(options: CommandOptions): Promise<CommandResult> {
  const words = [options.program, ...options.args].map(
    (word) => `'${word.replaceAll("'", String.raw`'\''`)}'`,
  );
  const args = ['--quiet', '--return', '--flush', '--command', words.join(' '), '/dev/null'];
  return runCommand({ ...options, program: 'script', args });
}

/** Runs a command to its end, and kills it after the time; a command that failed is an answer, not an error. */
export function runCommand(options: CommandOptions): Promise<CommandResult> {
  const child = spawn(options.program, options.args, { env: options.env, cwd: options.cwd });
  const timeoutMs = options.timeoutMs ?? 60_000;
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  // A command may end without having read its input; what matters then is its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return new Promise((settle, fail) => {
    const commandLine = [options.program, ...options.args].join(' ');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      const written = Buffer.concat([...chunks.stdout, ...chunks.stderr]).toString();
      fail(new Error(`no end within ${timeoutMs} ms: ${commandLine}\n${written}`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      settle({
        code: toExit(code, signal).code,
        stdout: Buffer.concat(chunks.stdout).toString(),
        stderr: Buffer.concat(chunks.stderr).toString(),
      });
    });
  });
}

function toExit(code: number | null, signal: NodeJS.Signals | null): Exit {
  return { code: code ?? 128 + (signal === null ? 0 : (signalNumbers[signal] ?? 0)), signal };
}
