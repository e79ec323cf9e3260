import { loadCommandLine } from '../config/load.ts';
import { makeRoomForImages } from '../job/make-room.ts';
import { reapOrphans } from '../job/reap-orphans.ts';
import { createLogger } from '../logger.ts';
import { requireRoot } from './require-root.ts';

/**
 * `berth gc`: one JSON line per job that was found, and one where images were dropped because the disk is too full; 0 only
 * where no crashed job has left anything.
 */
export async function gc(args: readonly string[]): Promise<number> {
  requireRoot();
  const { settings } = loadCommandLine(args, 'gc');
  const log = createLogger(settings.logLevel);
  const reaped = await reapOrphans(settings, log);
  for (const job of reaped) process.stdout.write(`${JSON.stringify(job)}\n`);
  const droppedImages = await makeRoomForImages(settings, log);
  if (droppedImages > 0) process.stdout.write(`${JSON.stringify({ droppedImages })}\n`);
  return reaped.every(({ outcome }) => outcome !== 'failed') ? 0 : 1;
}
