import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { runCommand, runInTerminal } from '../support/e2e-process.ts';
import { ask, useJob } from '../support/e2e-job.ts';
import { hashOfPattern, patternStream } from '../support/byte-pattern.ts';

// Bytes arrive: all of them, in order, on the stream they were written to.

const job = useJob();
const MIB = 1024 * 1024;

describe('200 MB', () => {
  test('of stdout arrive intact', async () => {
    const script = 'yes 0123456789abcdef | head -c 209715200';
    const hash = createHash('sha256');
    const child = spawn('docker', ['run', '--rm', 'busybox', 'sh', '-c', script], {
      env: job.berth.clientEnv,
    });
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, bytes }).toEqual({ code: 0, bytes: 200 * MIB });
    expect(hash.digest('hex')).toBe(hashOfRepeated('0123456789abcdef\n', 200 * MIB));
  });

  test('go through stdin to stdout intact', async () => {
    const child = spawn('docker', ['run', '--rm', '-i', 'busybox', 'cat'], { env: job.berth.clientEnv });
    const hash = createHash('sha256');
    child.stdout.on('data', (chunk: Buffer) => hash.update(chunk));
    const [code] = await Promise.all([
      once(child, 'close').then(([exitCode]) => exitCode as number),
      pipeline(patternStream(200 * MIB), child.stdin),
    ]);
    expect(code).toBe(0);
    expect(hash.digest('hex')).toBe(hashOfPattern(200 * MIB));
  });

  test('of exec output arrive intact', async () => {
    const id = await ask(job.berth, 'run', '-d', '--rm', 'busybox', 'sleep', '1000');
    const child = spawn('docker', ['exec', '-i', id, 'sha256sum'], { env: job.berth.clientEnv });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await Promise.all([once(child, 'close'), pipeline(patternStream(200 * MIB), child.stdin)]);
    expect(output.split(' ')[0]).toBe(hashOfPattern(200 * MIB));
    await ask(job.berth, 'rm', '-f', id);
  });
});

describe('docker logs', () => {
  test('keeps both streams apart, in order, and a last line without an end', async () => {
    const id = await ask(
      job.berth,
      'run',
      '-d',
      'busybox',
      'sh',
      '-c',
      'echo one; echo two >&2; printf three',
    );
    await ask(job.berth, 'wait', id);
    const { stdout, stderr } = await job.berth.docker(['logs', id]);
    expect({ stdout, stderr }).toEqual({ stdout: 'one\nthree', stderr: 'two\n' });
    await ask(job.berth, 'rm', id);
  });

  test('tail, timestamps, since and until', async () => {
    const script = 'for i in 1 2 3 4 5; do echo line $i; done; sleep 1.1; echo late';
    const id = await ask(job.berth, 'run', '-d', 'busybox', 'sh', '-c', script);
    await ask(job.berth, 'wait', id);
    expect(await ask(job.berth, 'logs', '--tail', '2', id)).toBe('line 5\nlate');
    const stamped = (await ask(job.berth, 'logs', '-t', id)).split('\n');
    expect(stamped).toHaveLength(6);
    for (const line of stamped)
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (line \d|late)$/);
    const lateTime = stamped.at(-1)?.split(' ')[0] ?? '';
    expect(await ask(job.berth, 'logs', '--since', lateTime, id)).toBe('late');
    expect(await ask(job.berth, 'logs', '--until', stamped[4]?.split(' ')[0] ?? '', id)).not.toContain(
      'late',
    );
    await ask(job.berth, 'rm', id);
  });

  test('follow shows what comes and ends with the container', async () => {
    const id = await ask(
      job.berth,
      'run',
      '-d',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3; do echo $i; sleep 0.2; done',
    );
    expect(await ask(job.berth, 'logs', '-f', id)).toBe('1\n2\n3');
    await ask(job.berth, 'rm', id);
  });

  test('nothing is lost at the exit: many short writers, all of it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { stdout } = await job.berth.docker(['run', '--rm', 'busybox', 'seq', '1', '20000']);
      expect(stdout.length).toBe(108_894);
    }
  });
});

describe('terminals', () => {
  const inTerminal = (args: readonly string[], input: string) =>
    runInTerminal({ program: 'docker', args, env: job.berth.clientEnv, input });

  test('docker run -it under a terminal: echo, one stream, exit code', async () => {
    const { code, stdout } = await inTerminal(
      ['run', '--rm', '-it', 'busybox', 'sh'],
      'tty; stty size; exit 5\n',
    );
    expect(stdout).toContain('/dev/pts/0');
    expect(code).toBe(5);
  });

  test('docker exec -it under a terminal', async () => {
    const id = await ask(job.berth, 'run', '-d', '--rm', 'busybox', 'sleep', '1000');
    const { code, stdout } = await inTerminal(['exec', '-it', id, 'sh'], 'tty; exit 6\n');
    expect(stdout).toContain('/dev/pts/');
    expect(code).toBe(6);
    await ask(job.berth, 'rm', '-f', id);
  });

  test('the detach keys leave the container running', async () => {
    await ask(job.berth, 'create', '-it', '--name', 'detached', 'busybox', 'sh');
    const args = ['--quiet', '--return', '--flush', '--command', 'docker start -ai detached', '/dev/null'];
    const client = spawn('script', args, { env: job.berth.clientEnv });
    const ended = once(client, 'close');
    // Typed any earlier, the client's own terminal would still be there to swallow Ctrl-Q.
    await new Promise<void>((resolve) => {
      client.stdout.on('data', (chunk: Buffer) => {
        if (chunk.includes('/ #')) resolve();
      });
    });
    client.stdin.write('\u0010\u0011');
    await ended;
    expect(await ask(job.berth, 'inspect', '-f', '{{.State.Running}}', 'detached')).toBe('true');
    await ask(job.berth, 'rm', '-f', 'detached');
  });
});

describe('attach', () => {
  test('detach keys of its own end one client alone, the others go on', async () => {
    const { berth } = job;
    const shell = 'while read line; do echo "said $line"; done; exit 7';
    await ask(berth, 'run', '-dit', '--name', 'shared', 'busybox', 'sh', '-c', shell);
    const attach = (keys: string): Terminal => openTerminal(`docker attach --detach-keys ${keys} shared`);
    const [leaving, staying] = [attach('ctrl-x,a'), attach('ctrl-e')];
    // What is not all of the keys is input: the container gets it when the next one is another.
    await leaving.type('\u0018b one\n', 'said');
    await staying.seen('one');
    await leaving.type('\u0018a', 'read escape sequence');
    expect(await leaving.exitCode).toBe(1);
    await staying.type('two\n', 'said two');
    await staying.type('\u0004', '');
    expect(await staying.exitCode).toBe(7);
    await ask(berth, 'rm', 'shared');
  });

  test('a client that leaves does not end the container, and the next one gets what follows', async () => {
    const { berth } = job;
    await ask(berth, 'run', '-d', '-i', '--name', 'attached', 'busybox', 'cat');
    const first = spawn('docker', ['attach', 'attached'], { env: berth.clientEnv });
    first.stdin.write('first\n');
    await once(first.stdout, 'data');
    first.kill('SIGKILL');
    const second = spawn('docker', ['attach', 'attached'], { env: berth.clientEnv });
    second.stdin.write('second\n');
    const [chunk] = (await once(second.stdout, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('second\n');
    second.kill('SIGKILL');
    expect(await ask(berth, 'logs', 'attached')).toBe('first\nsecond');
    await ask(berth, 'rm', '-f', 'attached');
  });
});

interface Terminal {
  readonly exitCode: Promise<number>;
  /** Waits until the client has shown the text. */
  seen(text: string): Promise<void>;
  /** Waits until the client is connected, types, and waits for the text. */
  type(keys: string, text: string): Promise<void>;
}

/** A client under a terminal of its own, typed to as a person would. */
function openTerminal(command: string): Terminal {
  const args = ['--quiet', '--return', '--flush', '--command', command, '/dev/null'];
  const client = spawn('script', args, { env: job.berth.clientEnv });
  let shown = '';
  client.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const seen = (text: string): Promise<void> => expect.poll(() => shown, { timeout: 20_000 }).toContain(text);
  return {
    exitCode: once(client, 'close').then(([code]) => code as number),
    seen,
    async type(keys, text) {
      // Typed any earlier, the client's own terminal would still be there to swallow the keys.
      await expect.poll(() => isRaw(client.pid ?? 0), { timeout: 20_000 }).toBe(true);
      client.stdin.write(keys);
      await seen(text);
    },
  };
}

/** True when the program below `script` has put its terminal into raw mode. */
async function isRaw(scriptPid: number): Promise<boolean> {
  const children = await readFile(`/proc/${scriptPid}/task/${scriptPid}/children`, 'utf8');
  const tty = await readlink(`/proc/${children.trim().split(' ')[0] ?? ''}/fd/0`).catch(() => '');
  if (!tty.startsWith('/dev/pts/')) return false;
  const { stdout } = await runCommand({ program: 'stty', args: ['-F', tty, '-a'], env: job.berth.clientEnv });
  return stdout.includes('-icanon');
}

function hashOfRepeated(text: string, bytes: number): string {
  const block = Buffer.from(text.repeat(4096));
  const hash = createHash('sha256');
  for (let left = bytes; left > 0; left -= block.length)
    hash.update(left < block.length ? block.subarray(0, left) : block);
  return hash.digest('hex');
}

test('start -a right after an end shows the output of the next run, each time', async () => {
  await ask(job.berth, 'create', '--name', 'again', 'busybox', 'echo', 'here');
  for (let round = 0; round < 10; round += 1)
    expect(await ask(job.berth, 'start', '-a', 'again')).toBe('here');
  await ask(job.berth, 'rm', 'again');
});
