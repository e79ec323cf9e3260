import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** docker-registry on loopback, under one name for daemons in different network namespaces. */
export interface BenchRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  stop(): void;
}

const START_TIMEOUT_MS = 20_000;

/**
 * Serves the directory on the host's loopback device and, on the same port, on that of each namespace: one process each,
 * so that no daemon's transfer takes a way around.
 */
export async function startBenchRegistry(
  home: string,
  name: string,
  namespaces: readonly string[],
): Promise<BenchRegistry> {
  const data = join(home, `${name}-data`);
  const first = await serve({ file: join(home, `${name}.yml`), data, port: '0', command: [] });
  const servers = [first];
  const stop = (): void => {
    for (const { kill } of servers) kill();
  };
  const port = first.host.replace(/^.*:/, '');
  try {
    for (const [index, netns] of namespaces.entries()) {
      const file = join(home, `${name}-${String(index)}.yml`);
      servers.push(await serve({ file, data, port, command: ['nsenter', `--net=${netns}`] }));
    }
  } catch (error) {
    stop();
    throw error;
  }
  return { host: first.host, stop };
}

interface Server {
  readonly host: string;
  readonly kill: () => void;
}

async function serve(parts: {
  readonly file: string;
  readonly data: string;
  readonly port: string;
  readonly command: readonly string[];
}): Promise<Server> {
  const { file, data, port, command } = parts;
  const lines = [
    'version: 0.1',
    'log: {level: info, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${data}}}`,
    `http: {addr: "127.0.0.1:${port}"}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('env', [...command, 'docker-registry', 'serve', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4096);
  });
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS && child.exitCode === null; waitedMs += 10) {
    const host = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
    if (host !== undefined) return { host, kill: () => void child.kill('SIGKILL') };
    await sleep(10);
  }
  child.kill('SIGKILL');
  throw new Error(`docker-registry did not start: ${log}`);
}
