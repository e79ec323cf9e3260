import { mkdtemp, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { request, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepSocket, type SocketEvent } from './keep-socket.ts';
import { listen, type Listener } from './listen.ts';

vi.setConfig({ testTimeout: 30_000 });

const intervalMs = 10;
const patience = { timeout: 20_000 };
const hello: RequestListener = (_request, response) => {
  response.end('hello');
};

let directory: string;
let socketPath: string;
let first: Listener;
let keeper: ReturnType<typeof keepSocket>;
let told: SocketEvent['kind'][];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-keep-'));
  socketPath = join(directory, 'd.sock');
  told = [];
  const listenAgain = (): Promise<Listener> => listen({ socketPath, app: hello, mode: 0o666 });
  first = await listenAgain();
  keeper = keepSocket({ socketPath, listenAgain, tell: ({ kind }) => told.push(kind), intervalMs });
});

afterEach(async () => {
  await keeper.stop();
  await first.close();
  await rm(directory, { recursive: true });
});

function isServing(path = socketPath): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ socketPath: path, path: '/', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on('error', () => resolve(false));
    sent.end();
  });
}

it('makes a socket again that was removed', async () => {
  await unlink(socketPath);
  await expect.poll(() => isServing(), patience).toBe(true);
  expect(told).toEqual(['remade']);
});

it('leaves those served who hold the file that was there', async () => {
  const moved = join(directory, 'moved.sock');
  await rename(socketPath, moved);
  await expect.poll(() => isServing(), patience).toBe(true);
  expect(await isServing(moved)).toBe(true);
  await unlink(moved);
});

it('leaves alone what is put in its place, says so once, and comes back after it', async () => {
  const victim = join(directory, 'victim');
  await writeFile(victim, 'own');
  await unlink(socketPath);
  await symlink(victim, socketPath);
  await expect.poll(() => told.includes('taken'), patience).toBe(true);
  expect(await readFile(victim, 'utf8')).toBe('own');
  const before = told.length;
  await unlink(socketPath);
  await expect.poll(() => isServing(), patience).toBe(true);
  expect(told.slice(before)).toEqual(['remade']);
});

it('does nothing where nothing happens, and nothing after its end', async () => {
  expect(await isServing()).toBe(true);
  await keeper.stop();
  await unlink(socketPath);
  expect(await isServing()).toBe(false);
  expect(told).toEqual([]);
});
