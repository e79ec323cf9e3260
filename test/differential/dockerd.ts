import { mkdtemp, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { baseEnvironment, startProcess, type RunningProcess } from '../support/e2e-process.ts';
import { rawHttp } from '../support/raw-http.ts';

/** A dockerd of the machine's package, alone in namespaces of its own. */
export interface Dockerd {
  readonly socket: string;
  /** Of its network namespace. */
  readonly netns: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;

/**
 * Starts dockerd in mount, network, process and IPC namespaces of its own: its bridges, rules, mounts and containers
 * end with its first process. Only its cgroups do not, so they get a name of their own. `more` are arguments of dockerd.
 */
export async function startDockerd(more: readonly string[] = []): Promise<Dockerd> {
  const directory = await mkdtemp('/tmp/berth-oracle-');
  const socket = join(directory, 'docker.sock');
  const cgroup = `/${directory.slice('/tmp/'.length)}`;
  const server = await startProcess({
    program: 'unshare',
    args: [
      ...['--mount', '--net', '--pid', '--ipc', '--fork', '--mount-proc', '--kill-child'],
      ...['sh', '-c', 'mount -t tmpfs none /run && ip link set lo up && exec dockerd "$@"', 'sh'],
      ...['--data-root', join(directory, 'data'), '--exec-root', '/run/docker-oracle'],
      ...['--host', `unix://${socket}`, '--pidfile', '/run/docker-oracle.pid'],
      ...['--cgroup-parent', cgroup, ...more],
    ],
    env: baseEnvironment(directory),
  });
  const stop = async (): Promise<void> => {
    await end(server);
    await removeCgroups(cgroup);
    await rm(directory, { recursive: true });
  };
  try {
    await server.waitForOutput(({ stderr }) => /API listen on (\S+)/.exec(stderr)?.[1], startTimeoutMs);
    const { status } = await rawHttp(socket, 'GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n');
    if (status !== 200) throw new Error(`dockerd answers its ping with ${status}`);
    return { socket, netns: `/proc/${await childOf(server.pid)}/ns/net`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function childOf(pid: number): Promise<string> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim();
}

/** unshare ignores SIGTERM; killed, it takes its child along, and the kernel everything below that. */
async function end(server: RunningProcess): Promise<void> {
  server.kill('SIGKILL');
  await server.exited;
}

/** A cgroup can be removed once its last process has been reaped. */
async function removeCgroups(name: string): Promise<void> {
  const controllers = (await readdir('/sys/fs/cgroup', { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  const places = ['/sys/fs/cgroup', ...controllers.map((entry) => join('/sys/fs/cgroup', entry.name))];
  for (const place of places) await removeTree(join(place, name));
}

async function removeTree(path: string): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  for (;;) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((settle) => setTimeout(settle, 20));
    }
  }
}
