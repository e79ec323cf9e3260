import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startDockerd as startOracle } from '../../test/differential/dockerd.ts';
import { startBerth as serve } from '../../test/support/e2e-berth.ts';
import { baseEnvironment } from '../../test/support/e2e-process.ts';
import { mirrorDockerHub } from '../../test/support/popular-registry.ts';
import { startRegistry } from '../../test/support/registry.ts';

/** A daemon that a suite is run against; both find the images of `data` under their names of Docker Hub. */
export interface Daemon {
  readonly name: 'dockerd' | 'berth';
  /** Where the suite runs: published ports are on the loopback device there. */
  readonly netns: string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** What a daemon serves: images of a registry's directory, and directories whose files the suite mounts. */
export interface Surroundings {
  readonly data: string;
  readonly workspaces: readonly string[];
  /** A directory of plugins of the docker CLI, in place of compose 1.29. */
  readonly plugins: string | undefined;
}

const COMPOSE = resolve(import.meta.dirname, '../../test/support/compose-plugin.sh');
/** In the oracle's own network namespace, where nothing else listens. */
const MIRROR_PORT = 5000;

/** Starts dockerd as it comes. */
export async function startDockerd({ data, plugins }: Surroundings): Promise<Daemon> {
  const dockerd = await startOracle(['--registry-mirror', `http://127.0.0.1:${MIRROR_PORT}`]);
  const registry = await startRegistry(data, { netns: dockerd.netns, port: MIRROR_PORT });
  const home = await makeHome(plugins);
  return {
    name: 'dockerd',
    netns: dockerd.netns,
    env: {
      ...baseEnvironment(home),
      DOCKER_HOST: `unix://${dockerd.socket}`,
      TESTCONTAINERS_HOST_OVERRIDE: 'localhost',
    },
    stop: async () => {
      await registry.stop();
      await dockerd.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Starts berth as it comes, with the workspace that the suite needs. */
export async function startBerth({ data, workspaces, plugins }: Surroundings): Promise<Daemon> {
  const mirror = await mirrorDockerHub(await startRegistry(data));
  const binds = workspaces.flatMap((directory) => ['--workspace', directory]);
  const berth = await serve({ args: ['--registries', mirror.registriesDirectory, ...binds] });
  const home = await makeHome(plugins);
  return {
    name: 'berth',
    netns: berth.ready.netns,
    env: { ...baseEnvironment(home), ...berth.ready.env },
    stop: async () => {
      const { code, report } = await berth.stop().catch((error: unknown) => {
        throw new Error(`berth did not end well:\n${berth.logs()}`, { cause: error });
      });
      await mirror.stop();
      await rm(home, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the job did not end clean: ${JSON.stringify(report)}`);
    },
  };
}

async function makeHome(own: string | undefined): Promise<string> {
  const home = await mkdtemp('/tmp/conformance-home-');
  const plugins = join(home, '.docker/cli-plugins');
  await mkdir(plugins, { recursive: true });
  if (own === undefined) await symlink(COMPOSE, join(plugins, 'docker-compose'));
  else for (const name of await readdir(own)) await symlink(resolve(own, name), join(plugins, name));
  // Without one, docker-py keeps its contexts in the working directory, for the next run to stumble over.
  await writeFile(join(home, '.docker/config.json'), '{}');
  return home;
}
