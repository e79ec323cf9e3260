import { readFile, rename, writeFile } from 'node:fs/promises';

import { EngineError } from '../errors.ts';

/** Who the runner's main container is. */
export type JobContainer =
  | { readonly kind: 'containerd'; readonly namespace: string; readonly id: string }
  | {
      readonly kind: 'process';
      readonly pid: number;
      /** Clock ticks after boot: a later process with the same number is another one. */
      readonly startTime: string;
    };

/** The job container of the job, as the runner said; survives this process. */
export interface JobContainerStore {
  get(): JobContainer | undefined;
  set(container: JobContainer): Promise<void>;
}

interface Stored {
  readonly version: 1;
  readonly container: JobContainer;
}

/** Opens the store that is kept in the file. */
export async function openJobContainerStore(path: string): Promise<JobContainerStore> {
  let current = await load(path);
  return {
    get: () => current,
    async set(container) {
      const stored: Stored = { version: 1, container };
      await writeFile(`${path}.next`, `${JSON.stringify(stored)}\n`, { mode: 0o600 });
      await rename(`${path}.next`, path);
      current = container;
    },
  };
}

async function load(path: string): Promise<JobContainer | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const stored = JSON.parse(text) as Stored;
  const version: number = stored.version;
  if (version !== 1) throw new EngineError('Internal', `job container has unknown version ${version}`);
  return stored.container;
}
