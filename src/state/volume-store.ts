import { EngineError, limitReached } from '../errors.ts';
import { createKeyedLock, type KeyedLock } from '../lib/keyed-lock.ts';
import type { VolumeFiles } from './volume-files.ts';

/** What is kept of a volume. The name is the client's and never a path; the directory is berth's own id. */
export interface VolumeRecord {
  readonly name: string;
  readonly directoryId: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly driverOpts: Readonly<Record<string, string>> | null;
  /** True when no client gave it its name. */
  readonly isAnonymous: boolean;
}

/** The job's volumes: records in memory, written through to one file, and a directory for each. */
export interface VolumeStore {
  /** Held by name while a volume is made, taken into use or removed. */
  readonly lock: KeyedLock;
  get(name: string): VolumeRecord | undefined;
  /** By name. */
  list(): readonly VolumeRecord[];
  /** Makes the volume's empty directory and remembers the record; Conflict when the name is taken. */
  create(volume: Omit<VolumeRecord, 'directoryId'>): Promise<VolumeRecord>;
  /** Forgets the volume and deletes its files; an absent one is no error. */
  remove(name: string): Promise<void>;
  /** Keeps the volume in use until the answer is called: for who has no container record yet that names it. */
  hold(name: string, containerId: string): () => void;
  /** Ids of containers for which the volume is held. */
  heldBy(name: string): readonly string[];
  /** Directory on the host with the volume's files; NotFound when there is no such volume. */
  hostPath(name: string): string;
  /** Bytes of the files of a volume that nothing uses. */
  measure(name: string): Promise<number>;
}

/** Opens the store on a job's volume directory, with what an earlier process left there. */
export async function openVolumeStore(files: VolumeFiles, most = Infinity): Promise<VolumeStore> {
  const volumes = new Map((await files.load()).map((record) => [record.name, record]));
  await files.sweep(new Set([...volumes.values()].map((record) => record.directoryId)));
  return new FileVolumeStore(files, volumes, most);
}

class FileVolumeStore implements VolumeStore {
  readonly lock = createKeyedLock();
  readonly #writes = createKeyedLock();
  readonly #holds = new Set<{ readonly name: string; readonly containerId: string }>();
  readonly #files: VolumeFiles;
  readonly #volumes: Map<string, VolumeRecord>;
  readonly #most: number;

  constructor(files: VolumeFiles, volumes: Map<string, VolumeRecord>, most: number) {
    this.#files = files;
    this.#volumes = volumes;
    this.#most = most;
  }

  get(name: string): VolumeRecord | undefined {
    return this.#volumes.get(name);
  }

  list(): readonly VolumeRecord[] {
    return [...this.#volumes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async create(volume: Omit<VolumeRecord, 'directoryId'>): Promise<VolumeRecord> {
    const directoryId = await this.#files.makeDirectory();
    const record = { ...volume, directoryId };
    try {
      if (this.#volumes.size >= this.#most) throw limitReached('volumes', this.#most);
      if (this.#volumes.has(volume.name))
        throw new EngineError('Conflict', `volume ${volume.name} already exists`);
      this.#volumes.set(volume.name, record);
      await this.#save();
    } catch (error) {
      if (this.#volumes.get(volume.name) === record) this.#volumes.delete(volume.name);
      await this.#files.removeDirectory(directoryId);
      throw error;
    }
    return record;
  }

  // The record goes first: files without a record are swept at the next start, a record without files is a lie.
  async remove(name: string): Promise<void> {
    const record = this.#volumes.get(name);
    if (!record) return;
    this.#volumes.delete(name);
    try {
      await this.#save();
    } catch (error) {
      this.#volumes.set(name, record);
      throw error;
    }
    await this.#files.removeDirectory(record.directoryId);
  }

  hold(name: string, containerId: string): () => void {
    const hold = { name, containerId };
    this.#holds.add(hold);
    return () => {
      this.#holds.delete(hold);
    };
  }

  heldBy(name: string): readonly string[] {
    return [...this.#holds].filter((hold) => hold.name === name).map((hold) => hold.containerId);
  }

  hostPath(name: string): string {
    return this.#files.pathOf(this.#require(name).directoryId);
  }

  measure(name: string): Promise<number> {
    return this.#files.measure(this.#require(name).directoryId);
  }

  #require(name: string): VolumeRecord {
    const record = this.#volumes.get(name);
    if (!record) throw new EngineError('NotFound', `get ${name}: no such volume`);
    return record;
  }

  #save(): Promise<void> {
    return this.#writes.run('records', () => this.#files.save([...this.#volumes.values()]));
  }
}
