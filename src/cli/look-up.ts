import { EngineError } from '../errors.ts';
import { loadLibc } from '../host/libc.ts';
import { serveLookUps } from '../rootfs/serve-look-ups.ts';

/** `berth look-up`: berth's own helper, which it starts and talks to; it looks into files that may never answer. */
export async function lookUp(args: readonly string[]): Promise<number> {
  const [asker] = args;
  const askerPid = Number(asker);
  if (asker === undefined || askerPid !== process.ppid)
    throw new EngineError('InvalidArgument', 'look-up is started by berth alone');
  await serveLookUps({ libc: await loadLibc(), input: process.stdin, output: process.stdout, askerPid });
  return 0;
}
