import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEngine, type EngineClient } from './engine-client.ts';

/** A daemon under measurement. */
export interface Daemon {
  readonly name: 'berth' | 'dockerd';
  readonly pid: number;
  readonly client: EngineClient;
  /** From spawn to the first answered ping. */
  readonly startToPingMs: number;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 30_000;

/** Starts berth with a root of its own, its containerd embedded unless the address of a running one is given. */
export async function startBerth(home: string, job: string): Promise<Daemon> {
  const socket = join(home, `${job}.sock`);
  const args = [
    'bin/berth',
    'serve',
    '--job',
    job,
    '--root',
    join(home, 'b'),
    '--run-dir',
    join(home, 'r'),
    '--socket',
    socket,
  ];
  return startDaemon('berth', {
    program: process.execPath,
    args: [...args, '--containerd', 'embedded', '--log-level', 'error'],
    socket,
  });
}

/** Starts a dockerd with directories of its own; undefined where none is installed. */
export async function startDockerd(home: string): Promise<Daemon | undefined> {
  if (!existsSync('/usr/sbin/dockerd') && !existsSync('/usr/bin/dockerd')) return undefined;
  const socket = join(home, 'dockerd.sock');
  const args = [
    '--data-root',
    join(home, 'd'),
    '--exec-root',
    join(home, 'x'),
    '-H',
    `unix://${socket}`,
    '-p',
    join(home, 'dockerd.pid'),
  ];
  return startDaemon('dockerd', {
    program: 'dockerd',
    args: [...args, '--bridge=none', '--iptables=false'],
    socket,
  });
}

interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly socket: string;
}

async function startDaemon(name: Daemon['name'], launch: Launch): Promise<Daemon> {
  const startedAt = performance.now();
  const child = spawn(launch.program, launch.args, { stdio: 'ignore' });
  const client = connectEngine(launch.socket);
  await awaitPing(child, client, name);
  const startToPingMs = performance.now() - startedAt;
  return {
    name,
    pid: child.pid ?? 0,
    client,
    startToPingMs,
    stop: async () => {
      client.close();
      await endChild(child);
    },
  };
}

async function awaitPing(child: ChildProcess, client: EngineClient, name: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const isUp = await client.call('GET', '/_ping').then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) return;
    await sleep(2);
  }
  child.kill('SIGKILL');
  throw new Error(`${name} did not answer a ping`);
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

/** Resident memory of a process in MiB. */
export async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 'NaN') / 1024;
}

/** Runs with a directory that is gone afterwards. */
export async function withHome<T>(use: (home: string) => Promise<T>): Promise<T> {
  const home = await mkdtemp('/tmp/berth-bench-');
  try {
    return await use(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
