import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { loadLibc } from '../host/libc.ts';
import { createHostProcesses } from '../host/processes.ts';
import { readKeeperIdentity } from './keeper.ts';
import { createStdioFactory } from './stdio-factory.ts';
import type { StdioFactory } from './types.ts';

describe('the keeper of outputs', () => {
  let directory = '';
  let factory: StdioFactory;
  let errors: string[];
  const children: ChildProcess[] = [];
  const newFactory = async (): Promise<StdioFactory> =>
    createStdioFactory({
      directory: join(directory, 'io'),
      libc: await loadLibc(),
      processes: createHostProcesses(),
      onError: (name, error) => errors.push(`${name}: ${String(error)}`),
    });
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-keeper-'));
    errors = [];
    factory = await newFactory();
  });
  afterEach(async () => {
    await factory.stopKeeper();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  test('output of a process that ended while no berth ran is read after adopt, thanks to the keeper', async () => {
    const options = { id: 'a', stdin: true, terminal: false, keep: true };
    // A berth that is killed: a child that opens the streams and dies without a word.
    const modules = `${import.meta.dirname}/..`;
    const berth = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { loadLibc } from '${modules}/host/libc.ts';
         import { createHostProcesses } from '${modules}/host/processes.ts';
         import { createStdioFactory } from '${modules}/stdio/stdio-factory.ts';
         const factory = createStdioFactory({ directory: process.argv[1], libc: await loadLibc(),
           processes: createHostProcesses(), onError: (name, error) => console.log(name, error) });
         await factory.open(${JSON.stringify(options)});
         console.log('opened');
         process.stdin.resume();`,
        join(directory, 'io'),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    children.push(berth);
    expect(String(await once(berth.stdout, 'data'))).toBe('opened\n');
    const paths = {
      stdin: '',
      stdout: join(directory, 'io/a/stdout'),
      stderr: join(directory, 'io/a/stderr'),
    };
    await expect.poll(() => heldBy(join(directory, 'io/keeper.pid'))).toEqual([paths.stderr, paths.stdout]);
    berth.kill('SIGKILL');
    await once(berth, 'close');
    // Read and write, as a shim opens: nobody else has the pipe open now.
    const script = `exec >"${paths.stdout}" 2>"${paths.stderr}"; head -c 500000 /dev/zero; echo last >&2`;
    const writer = spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'inherit'] });
    await once(writer, 'close');

    const io = await factory.adopt(options);
    let size = 0;
    let stderr = '';
    io.addSink({
      write(chunk) {
        if (chunk.stream === 'stdout') size += chunk.data.length;
        else stderr += chunk.data.toString();
      },
      end() {},
    });
    io.taskCreated();
    await io.drained;
    expect(size).toBe(500_000);
    expect(stderr).toBe('last\n');
    await expect(io.writeStdin(Buffer.from('x'))).rejects.toMatchObject({ kind: 'Conflict' });
    await io.dispose();
    await expect.poll(() => heldBy(join(directory, 'io/keeper.pid'))).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('the keeper is rejoined by the next factory, and ends with stopKeeper', async () => {
    const first = await factory.open({ id: 'a', stdin: false, terminal: true, keep: true });
    const pidPath = join(directory, 'io/keeper.pid');
    await expect.poll(() => heldBy(pidPath)).toHaveLength(1);
    const identity = await readKeeperIdentity(pidPath);
    if (!identity) throw new Error('no keeper');
    const next = await newFactory();
    const second = await next.open({ id: 'b', stdin: false, terminal: false, keep: true });
    await expect.poll(() => heldBy(pidPath)).toHaveLength(3);
    expect(await readKeeperIdentity(pidPath)).toEqual(identity);
    await next.stopKeeper();
    await expect.poll(() => createHostProcesses().isAlive(identity)).toBe(false);
    expect(existsSync(pidPath)).toBe(false);
    await first.dispose();
    await second.dispose();
  });
});

async function heldBy(pidPath: string): Promise<string[]> {
  const identity = await readKeeperIdentity(pidPath);
  if (!identity) return [];
  const fds = `/proc/${identity.pid}/fd`;
  const links = readdirSync(fds).map((fd) => {
    try {
      return readlinkSync(join(fds, fd));
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.endsWith('/stdout') || link.endsWith('/stderr')).sort();
}
