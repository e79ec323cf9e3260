import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCleanupStack } from '../../src/lib/cleanup-stack.ts';
import { buildImage } from '../support/image-builder.ts';
import { pushImage, startRegistry } from '../support/registry.ts';

const PORT = 5000;

/** What both daemons call their registry: each has one of its own, and both begin with the same images. */
export const REGISTRY_HOST = `127.0.0.1:${PORT}`;

/** The registries of both daemons, with `team/base:v1` and `v2`, which are one image. */
export interface Registries {
  /** For berth's `--registries`: leads REGISTRY_HOST to its own. */
  readonly registriesDirectory: string;
  /** Starts that of dockerd, in its network namespace. */
  startFor(dockerd: { readonly netns: string }): Promise<void>;
  stop(): Promise<void>;
}

/** Starts berth's registry; nothing is left of either after stop. */
export async function openRegistries(): Promise<Registries> {
  const ends = createCleanupStack((step, error) => {
    process.emitWarning(`${step} of the registries is left: ${String(error)}`);
  });
  const top = await mkdtemp('/tmp/berth-registries-');
  ends.defer('directory', () => rm(top, { recursive: true }));
  try {
    const [ours, theirs] = [join(top, 'berth'), join(top, 'dockerd')];
    const registry = await startRegistry(ours);
    ends.defer('registry', () => registry.stop());
    await fill(registry.host);
    await cp(ours, theirs, { recursive: true });
    const hosts = join(top, 'hosts', REGISTRY_HOST);
    await mkdir(hosts, { recursive: true });
    const words = `[host."http://${registry.host}"]\ncapabilities = ["pull", "resolve", "push"]\n`;
    await writeFile(join(hosts, 'hosts.toml'), `server = "http://${registry.host}"\n${words}`);
    return {
      registriesDirectory: join(top, 'hosts'),
      async startFor({ netns }) {
        const other = await startRegistry(theirs, { netns, port: PORT });
        ends.defer("dockerd's registry", () => other.stop());
      },
      stop: () => ends.dispose(),
    };
  } catch (error) {
    await ends.dispose();
    throw error;
  }
}

async function fill(host: string): Promise<void> {
  const image = await buildImage({
    layers: [[{ type: 'file', path: 'base', content: 'base\n' }]],
    labels: { made: 'base' },
    cmd: ['sh'],
  });
  for (const tag of ['v1', 'v2']) await pushImage({ host }, `team/base:${tag}`, { image, kind: 'docker' });
}
