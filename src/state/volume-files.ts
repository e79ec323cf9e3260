import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { EngineError } from '../errors.ts';
import type { OwnTrees } from '../host/own-trees.ts';
import { createRandomId } from '../lib/random-id.ts';
import type { VolumeRecord } from './volume-store.ts';

/** Volumes on disk: `volumes.json` and `<directoryId>/_data` below one directory of the job. */
export interface VolumeFiles {
  /** Records last saved; none where nothing was. */
  load(): Promise<readonly VolumeRecord[]>;
  /** Replaces the records as a whole: a crash leaves the old ones or the new ones. */
  save(records: readonly VolumeRecord[]): Promise<void>;
  /** Makes an empty directory for a volume's files; answers its id. */
  makeDirectory(): Promise<string>;
  removeDirectory(directoryId: string): Promise<void>;
  /** Removes directories that are not among these. */
  sweep(directoryIds: ReadonlySet<string>): Promise<void>;
  pathOf(directoryId: string): string;
  /** Bytes of the files of a volume, in use or not. */
  measure(directoryId: string): Promise<number>;
}

const RECORDS = 'volumes.json';
const DATA = '_data';
const ID = /^[0-9a-f]{64}$/;

interface StoredVolumes {
  readonly version: 1;
  readonly volumes: readonly VolumeRecord[];
}

/** Opens (and makes, readable by root alone) the directory that holds a job's volumes. */
export async function openVolumeFiles(root: string, trees: OwnTrees): Promise<VolumeFiles> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const pathOf = (directoryId: string): string => {
    if (!ID.test(directoryId)) throw new EngineError('Internal', 'volume directory has no valid id');
    return join(root, directoryId, DATA);
  };
  const removeDirectory = async (directoryId: string): Promise<void> => {
    await trees.remove(join(pathOf(directoryId), '..'));
  };
  return {
    load: () => loadRecords(join(root, RECORDS)),
    save: (records) =>
      replaceFile(join(root, RECORDS), `${JSON.stringify({ version: 1, volumes: records })}\n`),
    async makeDirectory() {
      const directoryId = createRandomId();
      await mkdir(join(root, directoryId), { mode: 0o700 });
      // Containers of any user work in it, as in dockerd's volumes.
      await mkdir(pathOf(directoryId), { mode: 0o755 });
      return directoryId;
    },
    removeDirectory,
    async sweep(directoryIds) {
      for (const name of await readdir(root))
        if (ID.test(name) && !directoryIds.has(name)) await removeDirectory(name);
    },
    pathOf,
    measure: (directoryId) => trees.measure(pathOf(directoryId)),
  };
}

async function loadRecords(path: string): Promise<readonly VolumeRecord[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return [];
  const stored = JSON.parse(text) as StoredVolumes;
  const version: number = stored.version;
  if (version !== 1) throw new EngineError('Internal', `volume records have unknown version ${version}`);
  return stored.volumes;
}

// Without fsync: what must be survived is the death of this process, and a host that lost power has no job any more.
async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  await writeFile(next, text, { mode: 0o600 });
  await rename(next, path);
}
