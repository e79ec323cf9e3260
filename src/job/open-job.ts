import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Settings } from '../config/schema.ts';
import type { Containerd } from '../containerd/types.ts';
import type { Job } from '../engine/job.ts';
import { createCleanupStack, type CleanupStack } from '../lib/cleanup-stack.ts';
import type { Logger } from '../logger.ts';
import { readBootId } from './boot-id.ts';
import { checkAncestry } from './check-ancestry.ts';
import type { DockerAddress } from './environment.ts';
import { openFrontDoor } from './front-door.ts';
import { lockJob, type JobLock } from './job-lock.ts';
import type { JobNames } from './job-names.ts';
import { openHost } from './open-host.ts';
import type { HostTools } from './remove-traces.ts';

/** A job that serves its socket, with the handles its end needs. */
export interface OpenJob {
  readonly job: Job;
  readonly address: DockerAddress;
  readonly names: JobNames;
  readonly host: HostTools;
  readonly lock: JobLock;
  /** The job's namespace with everything in it: for its end. */
  readonly containerd: Containerd;
  /** Closes both sockets; requests in flight are cut. */
  stopListening(): Promise<void>;
  /** Ends what runs for the life of the job. */
  abort(): void;
  releaseContainerd(): Promise<void>;
}

/** What opening a job needs. */
export interface OpenJobOptions {
  readonly settings: Settings;
  readonly names: JobNames;
  readonly log: Logger;
  /** Called when the runner asks for the end over the control socket. */
  readonly onStop: () => void;
}

/**
 * Opens a job: takes its lock and its socket, then its namespaces and what an earlier process of it left. All or
 * nothing. Requests wait on the socket until the job is there; only pings do not.
 */
export async function openJob(options: OpenJobOptions): Promise<OpenJob> {
  const undo = createCleanupStack((step, error) => {
    options.log.error({ err: error, step }, 'undo of job start failed');
  });
  try {
    const open = await openInOrder(options, undo);
    undo.commit();
    return open;
  } finally {
    await undo.dispose();
  }
}

async function openInOrder(options: OpenJobOptions, undo: CleanupStack): Promise<OpenJob> {
  const { settings, names } = options;
  const isNew = !existsSync(names.paths.stateDir);
  await makeDirectories(settings, names);
  const host = await openHost(names);
  const lock = lockJob(host.libc, names.lockFile, names.jobId);
  undo.defer('lock', () => {
    lock.release();
  });
  const removeNew = async (): Promise<void> => {
    // What an earlier process left is not ours to throw away because this start failed.
    if (isNew) await (await import('./remove-traces.ts')).removeTraces(names, host, undefined);
  };
  undo.defer('directories', removeNew);
  await writeFile(names.bootFile, await readBootId(), { mode: 0o600 });
  const door = await openFrontDoor({
    socketPath: names.paths.socket,
    permissions: settings.api,
    tell: ({ kind, error }) => {
      if (kind === 'remade') options.log.error('the socket file was removed or replaced, and is made again');
      else options.log.error({ err: error }, 'the socket file was replaced by something else');
    },
  });
  undo.defer('socket', () => door.close());
  const { openParts } = await loadOpenParts();
  return openParts({ ...options, host, lock, door, isNew }, undo);
}

/**
 * The most of berth's code: loaded when clients can already connect, which is what they wait for. Nothing interrupts the
 * loading of a script, so it goes by parts, with an ear for pings between them (at once it is 180 ms of a busy machine).
 */
async function loadOpenParts(): Promise<typeof import('./open-parts.ts')> {
  const parts = [
    () => import('../containerd/connect.ts'),
    () => import('../api/routes.ts'),
    () => import('../api/app.ts'),
  ];
  for (const load of parts) {
    await serveWaiting();
    await load();
  }
  await serveWaiting();
  return import('./open-parts.ts');
}

/** One turn takes a connection, the next one reads from it. */
async function serveWaiting(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** Nobody but root may pass: what is in here decides what containers see. The runner mounts the socket file itself. */
async function makeDirectories(settings: Settings, { paths }: JobNames): Promise<void> {
  await checkAncestry(paths.stateDir);
  await mkdir(settings.root, { recursive: true, mode: 0o711 });
  await mkdir(settings.runDir, { recursive: true, mode: 0o711 });
  await mkdir(paths.stateDir, { recursive: true, mode: 0o700 });
  await mkdir(join(paths.stateDir, 'containers'), { recursive: true, mode: 0o700 });
  await mkdir(paths.runDir, { recursive: true, mode: 0o700 });
  await Promise.all([paths.stateDir, paths.runDir].map((path) => chmod(path, 0o700)));
}
