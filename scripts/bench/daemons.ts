import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMeteredGroup, type MeteredGroup } from './cgroup.ts';
import { connectEngine, type EngineClient } from './engine-client.ts';

/** A daemon under measurement. */
export interface Daemon {
  readonly name: 'berth' | 'dockerd';
  readonly pid: number;
  readonly socket: string;
  readonly client: EngineClient;
  /** Its group, with its containerd where that is its own. */
  readonly group: MeteredGroup;
  /** The network namespace where its published ports are, as a path. */
  readonly netns: string;
  /** From spawn to the first answered ping, in ms. */
  readonly startToPingMs: number;
  /** Lines of its standard output so far. */
  output(): string;
  /** Ends it; the time to the exit in ms. An exit code other than 0 throws. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number>;
}

/** How a daemon is started. */
export interface DaemonOptions {
  /** Address of a containerd that runs; its own is started otherwise. */
  readonly containerd?: string;
  readonly args?: readonly string[];
}

const READY_TIMEOUT_MS = 60_000;
/** More than 300 containers take on a busy machine: a daemon that is killed leaves all of them. */
const END_TIMEOUT_MS = 240_000;

/** Arguments for a berth whose directories are below `home`. */
export function berthPlaces(home: string): readonly string[] {
  return ['--root', join(home, 'b'), '--run-dir', join(home, 'r')];
}

/** Starts a berth for a job, as a runner does. */
export function startBerth(home: string, job: string, options: DaemonOptions = {}): Promise<Daemon> {
  const group = createMeteredGroup(job);
  const socket = join(home, `${job}.sock`);
  const args = ['serve', '--job', job, ...berthPlaces(home), '--socket', socket, '--log-level', 'error'];
  return startDaemon('berth', {
    program: join(import.meta.dirname, '../../bin/berth'),
    args: [
      ...[...args, '--cgroup-parent', `${group.path}/jobs`],
      ...['--containerd', options.containerd ?? 'embedded', ...(options.args ?? [])],
    ],
    socket,
    group,
    netns: `/run/netns/berth-${job}`,
  });
}

/**
 * Starts a dockerd with directories of its own, in a network namespace of its own: as berth, it makes its bridge and
 * its firewall tables. undefined where none is installed.
 */
export async function startDockerd(
  home: string,
  name: string,
  options: DaemonOptions = {},
): Promise<Daemon | undefined> {
  if (!existsSync('/usr/sbin/dockerd') && !existsSync('/usr/bin/dockerd')) return undefined;
  const group = createMeteredGroup(name);
  const socket = join(home, `${name}.sock`);
  const inNamespace = 'ip link set lo up && exec dockerd "$@"';
  const args = [
    ...[
      '--data-root',
      join(home, `${name}-data`),
      '--exec-root',
      join(home, `${name}-exec`),
      '-p',
      join(home, `${name}.pid`),
    ],
    ...['-H', `unix://${socket}`, '--cgroup-parent', `${group.path}/containers`],
    ...(options.containerd === undefined ? [] : ['--containerd', options.containerd]),
    ...(options.args ?? []),
  ];
  const daemon = await startDaemon('dockerd', {
    program: 'unshare',
    args: ['--net', 'sh', '-c', inNamespace, 'dockerd', ...args],
    socket,
    group,
    netns: undefined,
  });
  return daemon;
}

interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly socket: string;
  readonly group: MeteredGroup;
  /** undefined: that of the process. */
  readonly netns: string | undefined;
}

async function startDaemon(name: Daemon['name'], launch: Launch): Promise<Daemon> {
  const { group, socket } = launch;
  const startedAt = performance.now();
  const child = spawn(launch.program, launch.args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = child.pid ?? 0;
  group.add(pid);
  const output: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const client = connectEngine(socket);
  await awaitPing(child, client, name);
  const startToPingMs = performance.now() - startedAt;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number> => {
    client.close();
    const endingAt = performance.now();
    await endChild(child, signal, name);
    const endMs = performance.now() - endingAt;
    group.remove();
    return endMs;
  };
  const netns = launch.netns ?? `/proc/${String(pid)}/ns/net`;
  return { name, pid, socket, client, group, netns, startToPingMs, output: () => output.join(''), stop };
}

async function awaitPing(child: ChildProcess, client: EngineClient, name: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const isUp = await client.call('GET', '/_ping').then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) return;
    await sleep(1);
  }
  child.kill('SIGKILL');
  throw new Error(`${name} did not answer a ping (exit code ${String(child.exitCode)})`);
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals, name: string): Promise<void> {
  if (child.exitCode !== null) throw new Error(`${name} had ended with ${String(child.exitCode)}`);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  const code = await ended;
  clearTimeout(timer);
  if (signal === 'SIGTERM' && code !== 0) throw new Error(`${name} ended with ${String(code)}`);
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
