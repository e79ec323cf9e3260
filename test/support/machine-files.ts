import { execFile } from 'node:child_process';
import { lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import type { LayerEntry } from './image-builder.ts';

const run = promisify(execFile);

/**
 * Files of this machine as a layer: the programs and libraries named, what their links lead to, and every library that
 * they load. Directories are taken with all that is in them.
 */
export async function machineLayer(
  paths: readonly string[],
  options: { readonly exclude?: RegExp; readonly without?: ReadonlySet<string> } = {},
): Promise<readonly LayerEntry[]> {
  const found = new Map<string, LayerEntry>();
  const pending = [...paths];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    // Debian's /bin, /lib and so on are links to their fellows in /usr: everything goes to its real place.
    const place = join(await realpath(dirname(path)), basename(path));
    if (found.has(place) || options.exclude?.test(place)) continue;
    const entry = await toEntry(place);
    found.set(place, entry);
    pending.push(...(await follow(place, entry)));
  }
  return withParents([...found].filter(([place]) => !options.without?.has(place)).map(([, entry]) => entry));
}

/** Programs that Debian packages bring along, by their paths. */
export async function programsOf(...packages: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run('dpkg-query', ['-L', ...packages]);
  const programs = stdout.split('\n').filter((path) => /^(?:\/usr)?\/s?bin\/./.test(path));
  return [...new Set(programs)];
}

/** Absolute places of a layer's entries, for `without`. */
export function placesOf(layer: readonly LayerEntry[]): ReadonlySet<string> {
  return new Set(layer.map(({ path }) => `/${path}`));
}

async function toEntry(place: string): Promise<LayerEntry> {
  const stats = await lstat(place);
  const path = place.slice(1);
  const mode = stats.mode & 0o7777;
  if (stats.isDirectory()) return { type: 'directory', path, mode };
  if (stats.isSymbolicLink()) return { type: 'symlink', path, target: await readlink(place) };
  return { type: 'file', path, mode, content: await readFile(place) };
}

async function follow(place: string, entry: LayerEntry): Promise<readonly string[]> {
  if (entry.type === 'directory') return (await readdir(place)).map((name) => join(place, name));
  if (entry.type === 'symlink') return [posix.resolve(dirname(place), entry.target ?? '')];
  return isElf(entry) ? librariesOf(place) : [];
}

function isElf({ content }: LayerEntry): boolean {
  return Buffer.isBuffer(content) && content.subarray(0, 4).toString('latin1') === '\x7fELF';
}

async function librariesOf(place: string): Promise<readonly string[]> {
  // It fails for static programs, which need none.
  const { stdout } = await run('ldd', [place]).catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []);
}

function withParents(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const known = new Set(entries.map(({ path }) => path));
  const parents = new Set<string>();
  for (const { path } of entries)
    for (let up = posix.dirname(path); up !== '.' && !known.has(up); up = posix.dirname(up)) parents.add(up);
  const made = [...parents].map((path): LayerEntry => ({ type: 'directory', path }));
  return [...made, ...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
}
