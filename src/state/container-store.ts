import { EngineError } from '../errors.ts';
import { createKeyedLock, type KeyedLock } from '../lib/keyed-lock.ts';
import type { Container } from './container.ts';

/** What a client wrote, or, from berth itself, the container: the only way to a hidden one. */
export type ContainerRef = string | Container;

/** The job's containers, found as Docker finds them: by full id, by name, by unambiguous id prefix. */
export interface ContainerStore {
  readonly lock: KeyedLock;
  /** Takes the name for an id; Conflict in dockerd's words when another has it. */
  reserveName(name: string, id: string): void;
  releaseName(name: string): void;
  hasName(name: string): boolean;
  /** Names that are taken: those of containers that are still being made too. */
  countNames(): number;
  add(container: Container): void;
  remove(id: string): void;
  /** NotFound `No such container: <ref>`, InvalidArgument for an ambiguous prefix; hidden ones are not found. */
  resolve(containerRef: ContainerRef): Container;
  /** By full id, hidden ones included; for berth's own use. */
  get(id: string): Container | undefined;
  /** Newest first; without the hidden ones. */
  list(): readonly Container[];
  /** All, hidden ones included. */
  all(): readonly Container[];
}

/** Makes an empty store. */
export function createContainerStore(): ContainerStore {
  const byId = new Map<string, Container>();
  const idByName = new Map<string, string>();
  const visible = (): Container[] => [...byId.values()].filter((container) => !container.record.isHidden);

  const resolve = (containerRef: ContainerRef): Container => {
    if (typeof containerRef !== 'string') return containerRef;
    const name = containerRef.startsWith('/') ? containerRef.slice(1) : containerRef;
    const exact = byId.get(containerRef) ?? byId.get(idByName.get(name) ?? '');
    if (exact && !exact.record.isHidden) return exact;
    const matches = /^[0-9a-f]{1,64}$/.test(containerRef)
      ? visible().filter((container) => container.id.startsWith(containerRef))
      : [];
    if (matches.length > 1)
      throw new EngineError('InvalidArgument', `multiple IDs found with provided prefix: ${containerRef}`);
    const [match] = matches;
    if (!match) throw new EngineError('NotFound', `No such container: ${containerRef}`);
    return match;
  };

  return {
    lock: createKeyedLock(),
    reserveName(name, id) {
      const owner = idByName.get(name);
      if (owner !== undefined && owner !== id)
        throw new EngineError(
          'Conflict',
          `Conflict. The container name "/${name}" is already in use by container "${owner}". ` +
            'You have to remove (or rename) that container to be able to reuse that name.',
        );
      idByName.set(name, id);
    },
    releaseName(name) {
      idByName.delete(name);
    },
    hasName: (name) => idByName.has(name),
    countNames: () => idByName.size,
    add(container) {
      byId.set(container.id, container);
    },
    remove(id) {
      byId.delete(id);
    },
    resolve,
    get: (id) => byId.get(id),
    list: () =>
      visible().sort((a, b) =>
        a.record.createdAt < b.record.createdAt ? 1 : a.record.createdAt > b.record.createdAt ? -1 : 0,
      ),
    all: () => [...byId.values()],
  };
}
