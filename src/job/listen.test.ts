import { once } from 'node:events';
import { symlinkSync, unlinkSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request, type RequestListener } from 'node:http';
import { connect, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen } from './listen.ts';

const hello: RequestListener = (_request, response) => {
  response.end('hello');
};

let directory: string;
let socketPath: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-listen-'));
  socketPath = join(directory, 'd.sock');
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function leaveStaleSocket(): Promise<void> {
  // Node removes the file of a server that closes, so it is put back as a killed process would leave it.
  const server = createNetServer().listen(socketPath);
  await once(server, 'listening');
  const { link, rename } = await import('node:fs/promises');
  await link(socketPath, `${socketPath}.kept`);
  server.close();
  await once(server, 'close');
  await rename(`${socketPath}.kept`, socketPath);
}

async function statusOf(path: string): Promise<number | undefined> {
  const sent = request({ socketPath: path, path: '/' }).end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe('listen', () => {
  it.each([0o666, 0o600])('serves on a socket with mode %o', async (mode) => {
    const listener = await listen({ socketPath, app: hello, mode });
    expect((await stat(socketPath)).mode & 0o777).toBe(mode);
    expect(await statusOf(socketPath)).toBe(200);
    await listener.close();
    await expect(stat(socketPath)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('changes the mode of nothing that is put in the place of its socket', async () => {
    const victim = join(directory, 'victim');
    await writeFile(victim, '', { mode: 0o600 });
    const server = createServer(hello);
    server.once('listening', () => {
      unlinkSync(socketPath);
      symlinkSync(victim, socketPath);
    });
    const listener = await listen({ socketPath, app: server, mode: 0o666 });
    expect((await stat(victim)).mode & 0o777).toBe(0o600);
    await listener.close();
  });

  it('takes a server that is not listening yet', async () => {
    const listener = await listen({ socketPath, app: createServer(hello), mode: 0o600 });
    expect(await statusOf(socketPath)).toBe(200);
    await listener.close();
  });

  it.each([
    ['ASCII', 'x'],
    ['longer in bytes than in letters', 'é'],
  ])('refuses a path of more than 107 bytes (%s)', async (_name, letter) => {
    const base = join(directory, letter);
    const path = base.padEnd(
      directory.length + 1 + Math.ceil((108 - directory.length - 1) / Buffer.byteLength(letter)),
      letter,
    );
    const bytes = Buffer.byteLength(path);
    expect(bytes).toBeGreaterThanOrEqual(108);
    await expect(listen({ socketPath: path, app: hello, mode: 0o600 })).rejects.toMatchObject({
      kind: 'InvalidArgument',
      message: `unix socket path "${path}" is ${bytes} bytes long; the limit is 107`,
    });
  });

  it('serves on a path of exactly 107 bytes', async () => {
    const path = join(directory, 'x').padEnd(107, 'x');
    const listener = await listen({ socketPath: path, app: hello, mode: 0o600 });
    expect(await statusOf(path)).toBe(200);
    await listener.close();
  });

  it('replaces a socket that nobody answers on', async () => {
    await leaveStaleSocket();
    const listener = await listen({ socketPath, app: hello, mode: 0o600 });
    expect(await statusOf(socketPath)).toBe(200);
    await listener.close();
  });

  it('leaves a socket alone that somebody answers on', async () => {
    const first = await listen({ socketPath, app: hello, mode: 0o600 });
    await expect(listen({ socketPath, app: hello, mode: 0o600 })).rejects.toMatchObject({ kind: 'Conflict' });
    expect(await statusOf(socketPath)).toBe(200);
    await first.close();
  });

  it('leaves a file alone that is no socket', async () => {
    await writeFile(socketPath, 'precious');
    await expect(listen({ socketPath, app: hello, mode: 0o600 })).rejects.toMatchObject({ kind: 'Conflict' });
    expect((await stat(socketPath)).size).toBe(8);
  });

  it('ends idle connections at once when it closes', async () => {
    const listener = await listen({ socketPath, app: hello, mode: 0o600 });
    const idle = connect(socketPath);
    idle.write('GET / HTTP/1.1\r\nHost: d\r\n\r\n');
    await once(idle, 'data');
    const ended = once(idle, 'end');
    await listener.close();
    await ended;
    idle.destroy();
  });

  it('lets an answer that is under way go out before it closes', async () => {
    let finish: () => void = () => undefined;
    const listener = await listen({
      socketPath,
      mode: 0o600,
      app: (_request, response) => {
        finish = () => response.end('late');
        response.flushHeaders();
      },
    });
    const sent = request({ socketPath, path: '/' }).end();
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    const closed = listener.close();
    finish();
    const [body] = (await once(response, 'data')) as [Buffer];
    expect(body.toString()).toBe('late');
    response.resume();
    await closed;
  });

  it('cuts what does not end by itself, and closes once however often it is told', async () => {
    const listener = await listen({
      socketPath,
      mode: 0o600,
      app: (_request, response) => {
        response.flushHeaders();
      },
    });
    const stuck = connect(socketPath);
    stuck.write('GET / HTTP/1.1\r\nHost: d\r\n\r\n');
    await once(stuck, 'data');
    const ended = once(stuck, 'end');
    await Promise.all([listener.close(), listener.close()]);
    await ended;
    stuck.destroy();
  });
});
