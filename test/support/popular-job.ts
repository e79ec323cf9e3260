import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  showLogsOnFailure,
  startBerth,
  type Berth,
} from './e2e-berth.ts';
import { startPopularRegistry } from './popular-registry.ts';

/** A job that finds the popular images where it looks for those of Docker Hub. */
export interface PopularJob {
  readonly berth: Berth;
  /** A directory of the host that the job may bind. */
  readonly workspace: string;
}

/** A job for all tests of a file; ends with them, and fails if it leaves anything. The images may have to be made first. */
export function usePopularJob(): PopularJob {
  let berth: Berth | undefined;
  let workspace: string | undefined;
  let end = (): Promise<void> => Promise.resolve();
  beforeAll(async () => {
    const directories = await makeDirectories();
    workspace = join(directories.home, 'work');
    await mkdir(workspace);
    const registry = await startPopularRegistry();
    const args = ['--registries', registry.registriesDirectory, '--workspace', workspace];
    const started = await startBerth({ directories, args });
    berth = started;
    end = async () => {
      const { code, report } = await started.stop();
      await registry.stop();
      await removeDirectories(directories);
      if (code !== 0) throw new Error(`the job did not end clean: ${JSON.stringify(report)}`);
    };
  }, 300_000);
  afterAll(() => end());
  showLogsOnFailure(() => (berth ? [berth] : []));
  return {
    get berth() {
      if (!berth) throw new Error('the job has not started');
      return berth;
    },
    get workspace() {
      if (workspace === undefined) throw new Error('the job has not started');
      return workspace;
    },
  };
}
