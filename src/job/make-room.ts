import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/schema.ts';
import type { Logger } from '../logger.ts';
import { connectJobContainerd, meantAddress } from './connect-job-containerd.ts';
import { jobNames } from './job-names.ts';
import { openCaches, usedPercentOf } from './open-caches.ts';
import { openHost } from './open-host.ts';

/** Whose name stands for a containerd's user that is no job; no namespace is made for it. */
const GC_NAME = 'gc';

/**
 * What each pull does for itself, between jobs: where the disk is fuller than it may be, kept images that no job uses
 * are dropped. Answers how many. berth's own containerd is not started for a disk that has room.
 */
export async function makeRoomForImages(settings: Settings, log: Logger): Promise<number> {
  if (meantAddress(settings) === 'embedded' && !(await isTooFull(settings))) return 0;
  const names = jobNames(settings, GC_NAME);
  const host = await openHost(names);
  const connected = await connectJobContainerd(settings, { namespace: names.namespace, log, host });
  try {
    return await openCaches({ settings, log, ...connected }).cache.makeRoom();
  } finally {
    connected.containerd.close();
    await connected.release();
  }
}

async function isTooFull({ root, cacheHighPercent }: Settings): Promise<boolean> {
  const directory = join(root, 'containerd');
  return existsSync(directory) && (await usedPercentOf(directory)) > cacheHighPercent;
}
