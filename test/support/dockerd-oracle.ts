import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  baseEnvironment,
  endProcess,
  runCommand,
  startProcess,
  type CommandResult,
  type RunningProcess,
} from './e2e-process.ts';

/** A dockerd of the test's own, to compare answers with. */
export interface DockerdOracle {
  docker(args: readonly string[], options?: { readonly input?: Buffer }): Promise<CommandResult>;
  /** Its socket. */
  readonly socket: string;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 60_000;

/** Starts dockerd with directories of its own, without bridge and rules: its steps run without network. */
export async function startDockerd(): Promise<DockerdOracle> {
  const home = await mkdtemp('/tmp/oracle-');
  const socket = join(home, 'docker.sock');
  const env = { ...baseEnvironment(home), DOCKER_HOST: `unix://${socket}`, DOCKER_BUILDKIT: '0' };
  const docker: DockerdOracle['docker'] = (args, options = {}) =>
    runCommand({ program: 'docker', args, env, ...options });
  const server = await startProcess({
    program: 'dockerd',
    args: [
      ...['--host', `unix://${socket}`, '--data-root', join(home, 'data'), '--exec-root', join(home, 'exec')],
      ...['--pidfile', join(home, 'pid'), '--bridge=none', '--iptables=false', '--ip6tables=false'],
    ],
    env,
  });
  const stop = async (): Promise<void> => {
    await endProcess(server, 'SIGTERM', TIMEOUT_MS);
    await rm(home, { recursive: true, force: true });
  };
  try {
    await waitUntilServing(server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { docker, socket, stop };
}

function waitUntilServing(server: RunningProcess): Promise<true> {
  return server.waitForOutput(
    ({ stderr }) => (stderr.includes('API listen on') ? true : undefined),
    TIMEOUT_MS,
  );
}
