import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { connectContainerd } from '../../src/containerd/connect.ts';
import { acquireEmbedded, type EmbeddedOptions } from '../../src/containerd/embedded.ts';
import type { Containerd } from '../../src/containerd/types.ts';
import { loadLibc } from '../../src/host/libc.ts';
import { createHostMounts } from '../../src/host/mounts.ts';
import { createHostProcesses } from '../../src/host/processes.ts';
import { createLogger } from '../../src/logger.ts';

/** A containerd of the test's own. */
export interface RealContainerd {
  readonly root: string;
  readonly address: string;
  /** Seen from the namespace; each call opens a channel that `stop` closes. */
  connect(namespace: string): Containerd;
  /** Process number of the daemon. */
  pid(): Promise<number>;
  /** Starts it again after the test killed it. */
  ensureRunning(): Promise<void>;
  /** Ends containerd and removes all it had. */
  stop(): Promise<void>;
}

/** The options with which this process would share the embedded containerd of a root. */
export async function embeddedOptions(root: string): Promise<EmbeddedOptions> {
  const libc = await loadLibc();
  const mounts = createHostMounts({ libc, directory: path.join(root, 'mounts') });
  return { root, libc, mounts, processes: createHostProcesses(), log: createLogger('silent') };
}

/** Starts a private containerd in a new directory. Needs root and an installed containerd; fails without. */
export async function startRealContainerd(): Promise<RealContainerd> {
  if (process.getuid?.() !== 0) throw new Error('tests on real containerd need root');
  execFileSync('containerd', ['--version'], { stdio: 'ignore' });
  const root = await mkdtemp(path.join(tmpdir(), 'berth-containerd-'));
  const embedded = await acquireEmbedded(await embeddedOptions(root));
  const clients: Containerd[] = [];
  return {
    root,
    address: embedded.address,
    connect(namespace) {
      const client = connectContainerd(embedded.address, namespace);
      clients.push(client);
      return client;
    },
    pid: async () => Number(await readFile(path.join(root, 'containerd/containerd.pid'), 'utf8')),
    ensureRunning: () => embedded.ensureRunning(),
    async stop() {
      for (const client of clients) client.close();
      await embedded.release();
      await rm(root, { recursive: true, force: true });
    },
  };
}
