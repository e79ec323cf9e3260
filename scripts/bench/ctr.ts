import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { IMAGE } from './containers.ts';

/** containerd's own client, on berth's containerd and in a namespace of its own: the floor. */
export interface Ctr {
  /** Runs a container to its end; throws unless it exits with 0. What it writes goes to the two takers. */
  run(argv: readonly string[], io?: CtrStreams): Promise<void>;
}

/** Where the streams of a container go: nowhere without more. */
export interface CtrStreams {
  readonly stdin?: AsyncIterable<Buffer>;
  readonly stdout?: (chunk: Buffer) => void;
  readonly stderr?: (chunk: Buffer) => void;
}

const NAMESPACE = 'bench';

/** Gives ctr the image of the rows. */
export async function openCtr(address: string, home: string, image: Buffer): Promise<Ctr> {
  const call = (args: readonly string[], io: CtrStreams = {}) =>
    runProgram('ctr', ['--address', address, '--namespace', NAMESPACE, ...args], io);
  const archive = join(home, 'image.tar');
  await writeFile(archive, image);
  await call(['images', 'import', '--snapshotter', 'overlayfs', archive]);
  let runs = 0;
  return {
    run: (argv, io) => {
      runs += 1;
      const name = `docker.io/library/${IMAGE}`;
      return call(['run', '--rm', '--snapshotter', 'overlayfs', name, `floor-${String(runs)}`, ...argv], io);
    },
  };
}

/** Runs a program with nothing for a standard input unless there is something; throws unless it exits with 0. */
export async function runProgram(
  program: string,
  args: readonly string[],
  io: CtrStreams = {},
): Promise<void> {
  const child = spawn(program, args, {
    stdio: [io.stdin ? 'pipe' : 'ignore', io.stdout ? 'pipe' : 'ignore', 'pipe'],
  });
  const errors: Buffer[] = [];
  const toTaker = (taker: (chunk: Buffer) => void) => (chunk: Buffer) => {
    taker(chunk);
  };
  if (io.stdout) child.stdout?.on('data', toTaker(io.stdout));
  child.stderr?.on('data', toTaker(io.stderr ?? ((chunk) => errors.push(chunk))));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (io.stdin && child.stdin) await pipeline(io.stdin, child.stdin);
  const code = await ended;
  if (code !== 0)
    throw new Error(`${program} ${args.join(' ')}: ${String(code)} ${Buffer.concat(errors).toString()}`);
}
