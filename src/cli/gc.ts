import { loadCommandLine } from '../config/load.ts';
import { reapOrphans } from '../job/reap-orphans.ts';
import { createLogger } from '../logger.ts';
import { requireRoot } from './require-root.ts';

/** `berth gc`: one JSON line per job that was found; 0 only where no crashed job has left anything. */
export async function gc(args: readonly string[]): Promise<number> {
  requireRoot();
  const { settings } = loadCommandLine(args, 'gc');
  const reaped = await reapOrphans(settings, createLogger(settings.logLevel));
  for (const job of reaped) process.stdout.write(`${JSON.stringify(job)}\n`);
  return reaped.every(({ outcome }) => outcome !== 'failed') ? 0 : 1;
}
