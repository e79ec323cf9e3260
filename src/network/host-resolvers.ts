import { readFile } from 'node:fs/promises';

import { isErrno, toEngineError } from '../host/errors.ts';
import { forContainers, isLoopbackOnly, parseResolvConf, type HostResolvers } from './resolv-conf.ts';

/** Where a host says which resolvers it asks: its own file, and that of a local stub with the servers behind it. */
export const hostResolverFiles: readonly string[] = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** The host's resolver settings as containers can use them: where its own file names loopback alone, of the first that names more. */
export async function readHostResolvers(files: readonly string[]): Promise<HostResolvers> {
  const configs = await Promise.all(files.map(async (file) => parseResolvConf(await readOrEmpty(file))));
  const own = configs[0] ?? parseResolvConf('');
  const upstream = configs.find((config) => config.nameServers.length > 0 && !isLoopbackOnly(config));
  return forContainers(isLoopbackOnly(own) && upstream ? upstream : own);
}

async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw toEngineError(error, "cannot read the host's resolver settings");
  }
}
