import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildPopularImages, PACKAGES } from './popular-images.ts';
import { pushImage, startRegistry, type Registry } from './registry.ts';

/** A registry with the popular images, as a mirror of Docker Hub. */
export interface PopularRegistry extends Registry {
  /** For `--registries`: names without a registry lead here. */
  readonly registriesDirectory: string;
}

const CACHE = resolve(import.meta.dirname, '../../.tmp/popular');
const SOURCES = ['popular-images.ts', 'machine-files.ts', 'image-builder.ts', 'image-builder-busybox.ts'];

/** Starts a registry with the images; they are made when this machine has none yet, or has other packages now. */
export async function startPopularRegistry(): Promise<PopularRegistry> {
  const data = join(CACHE, await cacheKey());
  await makeImages(data);
  return mirrorDockerHub(await startRegistry(data));
}

/** The registry as a mirror of Docker Hub, for berth's `--registries`. */
export async function mirrorDockerHub(registry: Registry): Promise<PopularRegistry> {
  const registriesDirectory = await mkdtemp('/tmp/berth-hosts-');
  await mkdir(join(registriesDirectory, 'docker.io'));
  const hosts = `server = "http://${registry.host}"\n[host."http://${registry.host}"]\ncapabilities = ["pull", "resolve"]\n`;
  await writeFile(join(registriesDirectory, 'docker.io', 'hosts.toml'), hosts);
  return {
    ...registry,
    registriesDirectory,
    stop: async () => {
      await registry.stop();
      await rm(registriesDirectory, { recursive: true });
    },
  };
}

/** What the images are made of and how: another answer means other images. */
async function cacheKey(): Promise<string> {
  const { stdout } = await promisify(execFile)('dpkg-query', ['-W', ...PACKAGES]);
  const directory = import.meta.dirname;
  const recipes = (await readdir(join(directory, 'popular'))).sort().map((name) => join('popular', name));
  const hash = createHash('sha256').update(stdout).update(process.version);
  for (const name of [...SOURCES, ...recipes]) hash.update(await readFile(join(directory, name)));
  return hash.digest('hex').slice(0, 16);
}

async function makeImages(data: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const known = await readdir(CACHE);
  if (known.includes(data.slice(CACHE.length + 1))) return;
  for (const name of known) await rm(join(CACHE, name), { recursive: true });
  const work = await mkdtemp(`${data}.`);
  const registry = await startRegistry(work);
  try {
    for (const { names, image } of await buildPopularImages())
      for (const name of names) await pushImage(registry, name, { image, kind: 'oci' });
  } finally {
    await registry.stop();
  }
  await rename(work, data);
}
