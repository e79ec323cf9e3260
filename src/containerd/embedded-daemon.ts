import { open, readFile, readlink, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { EngineError, isErrorKind } from '../errors.ts';
import { isErrno } from '../host/errors.ts';
import type { HostProcesses, ProcessIdentity } from '../host/types.ts';
import { settlesWithin } from '../lib/settles-within.ts';
import { connectContainerd } from './connect.ts';
import { embeddedConfig, type EmbeddedPaths } from './embedded-config.ts';

const pollMs = 20;
const ANSWER_MS = 30_000;
const stopMs = 10_000;
const maxLogBytes = 4 * 1024 * 1024;
const logTailBytes = 2048;

// The process notes its own number before it becomes containerd: whoever started it may be killed at any moment.
const launcher = 'echo $$ >"$3" && exec containerd --config "$1" >>"$2" 2>&1';

/** The calls of the host adapter that are needed here. */
export type DaemonProcesses = Pick<HostProcesses, 'startDetached' | 'identify' | 'isAlive' | 'kill'>;

/** One private containerd; every method expects the caller to hold the start lock. */
export interface EmbeddedDaemon {
  /** Starts it unless it runs, and answers its version once it answers. */
  ensureRunning(): Promise<string>;
  /** Stops it if it runs. */
  stop(): Promise<void>;
}

/** The containerd of these paths; Unavailable where it does not answer within the time. */
export function createEmbeddedDaemon(
  paths: EmbeddedPaths,
  processes: DaemonProcesses,
  answerMs = ANSWER_MS,
): EmbeddedDaemon {
  return {
    async ensureRunning() {
      await boundLog(paths.log);
      const running = await findDaemon(paths, processes);
      const daemon = running ?? (await start(paths, processes));
      return awaitAnswer(paths, { processes, daemon, answerMs });
    },
    async stop() {
      const daemon = await findDaemon(paths, processes);
      if (daemon) await end(processes, daemon);
      await rm(paths.pid, { force: true });
      await rm(paths.socket, { force: true });
    },
  };
}

// Appending writers go on at the new end of a truncated file.
async function boundLog(file: string): Promise<void> {
  try {
    if ((await stat(file)).size > maxLogBytes) await truncate(file);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

async function readIfThere(read: () => Promise<string>): Promise<string> {
  try {
    return await read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}

/** The running daemon that the pid file names; a number that another program has got since is nobody. */
async function findDaemon(
  paths: EmbeddedPaths,
  processes: DaemonProcesses,
): Promise<ProcessIdentity | undefined> {
  const pid = Number(await readIfThere(() => readFile(paths.pid, 'utf8')));
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  const identity = await processes.identify(pid);
  if (!identity) return undefined;
  const program = await readIfThere(() => readlink(`/proc/${pid}/exe`));
  const argv = (await readIfThere(() => readFile(`/proc/${pid}/cmdline`, 'utf8'))).split('\0');
  // The launcher counts too: it is about to become containerd.
  const isOurs =
    /\/(containerd|sh|dash|bash|busybox)( \(deleted\))?$/.test(program) && argv.includes(paths.config);
  return isOurs ? identity : undefined;
}

async function start(paths: EmbeddedPaths, processes: DaemonProcesses): Promise<ProcessIdentity> {
  await writeFile(`${paths.config}.new`, embeddedConfig(paths), { mode: 0o600 });
  await rename(`${paths.config}.new`, paths.config);
  await rm(paths.socket, { force: true });
  return processes.startDetached([
    '/bin/sh',
    '-c',
    launcher,
    'containerd',
    paths.config,
    paths.log,
    paths.pid,
  ]);
}

interface Awaited {
  readonly processes: DaemonProcesses;
  readonly daemon: ProcessIdentity;
  readonly answerMs: number;
}

async function awaitAnswer(paths: EmbeddedPaths, { processes, daemon, answerMs }: Awaited): Promise<string> {
  const client = connectContainerd(paths.socket, 'default');
  try {
    const deadline = Date.now() + answerMs;
    for (;;) {
      try {
        const answer = client.version.version();
        if (await settlesWithin(answer, deadline - Date.now())) return (await answer).version;
        // One that is stopped does so.
        throw new EngineError('Unavailable', 'it takes calls and does not answer them');
      } catch (error) {
        if (!isErrorKind(error, 'Unavailable')) throw error;
        if (!(await processes.isAlive(daemon))) throw await startError(paths, 'ended at its start', error);
        if (Date.now() >= deadline) throw await startError(paths, 'does not answer', error);
      }
      await sleep(pollMs);
    }
  } finally {
    client.close();
  }
}

async function startError(paths: EmbeddedPaths, what: string, cause: unknown): Promise<EngineError> {
  const lines = await logTail(paths.log);
  return new EngineError('Unavailable', `embedded containerd ${what}; end of its log:\n${lines}`, { cause });
}

async function logTail(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '(none)';
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(logTailBytes),
      0,
      logTailBytes,
      Math.max(0, size - logTailBytes),
    );
    return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-10).join('\n');
  } finally {
    await handle.close();
  }
}

async function end(processes: DaemonProcesses, daemon: ProcessIdentity): Promise<void> {
  await processes.kill(daemon, 'SIGTERM');
  if (await hasEnded(processes, daemon)) return;
  await processes.kill(daemon, 'SIGKILL');
  if (!(await hasEnded(processes, daemon))) {
    throw new EngineError('Internal', `embedded containerd (process ${daemon.pid}) cannot be stopped`);
  }
}

async function hasEnded(processes: DaemonProcesses, daemon: ProcessIdentity): Promise<boolean> {
  const deadline = Date.now() + stopMs;
  while (Date.now() < deadline) {
    if (!(await processes.isAlive(daemon))) return true;
    await sleep(pollMs);
  }
  return false;
}
