import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBusybox } from '../support/e2e-job.ts';
import { makeDirectories, removeDirectories, startBerth } from '../support/e2e-berth.ts';

test("a job's end takes the files of its layers along, so that the same job can come again at once", async () => {
  const directories = await makeDirectories();
  const snapshots = join(
    directories.root,
    'containerd/root/io.containerd.snapshotter.v1.overlayfs/snapshots',
  );
  for (let round = 0; round < 2; round += 1) {
    const berth = await startBerth({ job: 'again', directories });
    await loadBusybox(berth);
    expect(await readdir(snapshots)).not.toEqual([]);
    expect(await berth.stop()).toMatchObject({ code: 0, report: { leaks: [] } });
    expect(await readdir(snapshots)).toEqual([]);
  }
  await removeDirectories(directories);
}, 120_000);
