import { once } from 'node:events';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { oneMount, type PreparedMounts } from './prepared-mounts.ts';
import type { RunMount } from './run-mount-syntax.ts';
import type { StageRun } from './stage-run.ts';

const DEFAULT_ID = 'default';
const SOCKET_MODE = 0o600;
const NAME_LENGTH = 6;
/** Of one step at a time: each is a call to the client. */
const MAX_CONNECTIONS = 64;

/** A socket that leads to the client's SSH agent while the step runs; the keys themselves never come here. */
export async function prepareAgent(
  { run }: StageRun,
  mount: RunMount,
  undo: CleanupStack,
): Promise<PreparedMounts> {
  const id = mount.id === '' ? DEFAULT_ID : mount.id;
  const joinAgent = await run.client.findAgent(id);
  if (!joinAgent) {
    if (!mount.isRequired) return { mounts: [], tmpfs: [], env: [] };
    throw new EngineError(
      'NotFound',
      `unset ssh forward key ${id}: agents come with BuildKit's session (docker build --ssh ${id})`,
    );
  }
  const directory = join(run.job.paths.runDir, `a-${createRandomId().slice(0, NAME_LENGTH)}`);
  await mkdir(directory, { mode: 0o700 });
  undo.defer('directory of an agent', () => run.job.trees.remove(directory));
  const hostPath = join(directory, 's');
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    try {
      joinAgent(connection);
    } catch {
      connection.destroy();
    }
  }).listen(hostPath);
  server.maxConnections = MAX_CONNECTIONS;
  undo.defer('socket of an agent', () => {
    for (const connection of open) connection.destroy();
    server.close();
    return Promise.resolve();
  });
  await once(server, 'listening');
  await chown(hostPath, mount.uid, mount.gid);
  await chmod(hostPath, mount.mode ?? SOCKET_MODE);
  return {
    ...oneMount(mount.target, { hostPath, isReadWrite: true }),
    env: [`SSH_AUTH_SOCK=${mount.target}`],
  };
}
