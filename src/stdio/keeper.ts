import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { isErrno, toEngineError } from '../host/errors.ts';
import type { HostProcesses, Libc, ProcessIdentity } from '../host/types.ts';

// Holds the read end of FIFOs and never reads, so that output stays in the pipe while no berth runs. A FIFO opened for
// reading alone would wait for a writer, so each is opened both ways first; no write end may stay, or output would never
// end. What we inherited is closed: somebody may wait for the end of that.
const script = `
dir=$1
declare -A held
for fd in /proc/$$/fd/*; do
  fd=\${fd##*/}
  ((fd > 2)) && exec {fd}>&-
done
while read -r -u 3 verb id names; do
  case $verb in
    hold)
      for name in $names; do
        [[ -p $dir/$id/$name && -z \${held[$id/$name]} ]] || continue
        exec {both}<>"$dir/$id/$name" || continue
        exec {reader}<"$dir/$id/$name" && held[$id/$name]=$reader
        exec {both}>&-
      done ;;
    drop)
      for key in "\${!held[@]}"; do
        [[ $key == "$id"/* ]] || continue
        reader=\${held[$key]}
        exec {reader}<&-
        unset "held[$key]"
      done ;;
  esac
done 3<>"$dir/keeper"
`;

/** A process of its own that outlives berth and keeps unread output from vanishing when the container ends meanwhile. */
export interface Keeper {
  /** Asks it to hold FIFOs of an id, and starts it when there is none; never throws, as it is only a safety net. */
  hold(id: string, names: readonly string[]): Promise<void>;
  /** Asks it to let go of an id. */
  drop(id: string): void;
  /** Ends it, if there is one. */
  stop(): Promise<void>;
}

/** Where the keeper of a job lives; `keeper.pid` in the directory holds its pid and start time. */
export interface KeeperOptions {
  readonly directory: string;
  readonly libc: Libc;
  readonly processes: HostProcesses;
  readonly onError: (name: string, error: unknown) => void;
}

/** Makes the handle of a job's keeper; starts nothing yet. */
export function createKeeper({ directory, libc, processes, onError }: KeeperOptions): Keeper {
  const commandPath = join(directory, 'keeper');
  const pidPath = join(directory, 'keeper.pid');
  let starting: Promise<void> = Promise.resolve();
  // Open both ways: a command waits in the pipe until the keeper is up.
  let commandFd: number | undefined;

  const start = async (): Promise<void> => {
    const known = await readKeeperIdentity(pidPath);
    const isRunning = known !== undefined && (await processes.isAlive(known));
    if (isRunning && commandFd !== undefined) return;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (!isRunning) await replaceFifo();
    if (commandFd !== undefined) closeSync(commandFd);
    commandFd = openSync(commandPath, constants.O_RDWR | constants.O_NONBLOCK);
    if (isRunning) return;
    const { pid, startTime } = await processes.startDetached([
      'bash',
      '-c',
      script,
      'berth-keeper',
      directory,
    ]);
    await writeFile(`${pidPath}.new`, `${pid} ${startTime}\n`, { mode: 0o600 });
    await rename(`${pidPath}.new`, pidPath);
  };
  const replaceFifo = async (): Promise<void> => {
    await rm(commandPath, { force: true });
    libc.mkfifo(commandPath, 0o600);
  };
  const send = (line: string): void => {
    if (commandFd !== undefined) writeSync(commandFd, `${line}\n`);
  };
  return {
    async hold(id, names) {
      try {
        starting = starting.then(start, start);
        await starting;
        send(`hold ${id} ${names.join(' ')}`);
      } catch (error) {
        onError('output keeper', error);
      }
    },
    drop(id) {
      // After a hold that is still on its way.
      starting.then(() => send(`drop ${id}`)).catch((error: unknown) => onError('output keeper', error));
    },
    async stop() {
      await starting.catch(() => undefined);
      if (commandFd !== undefined) closeSync(commandFd);
      commandFd = undefined;
      const known = await readKeeperIdentity(pidPath);
      if (known) await processes.kill(known, 'SIGKILL');
      await Promise.all([pidPath, commandPath].map((path) => rm(path, { force: true })));
    },
  };
}

/** Who the keeper was that a pid file names; undefined without a readable file. It may have ended. */
export async function readKeeperIdentity(pidPath: string): Promise<ProcessIdentity | undefined> {
  try {
    const match = /^(\d+) (\d+)\n$/.exec(await readFile(pidPath, 'utf8'));
    const [, pid, startTime] = match ?? [];
    return pid === undefined || startTime === undefined ? undefined : { pid: Number(pid), startTime };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw toEngineError(error, 'cannot read the pid file of the output keeper');
  }
}
