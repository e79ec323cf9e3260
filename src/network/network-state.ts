import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createRandomId } from '../lib/random-id.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import type { NetworkFacts } from './types.ts';

/** The ground a job's network stands on; plain JSON, so that the next process of the job can stand on it too. */
export interface Foundation {
  readonly kind: 'isolated' | 'host' | 'path';
  readonly netnsPath: string;
  readonly bridge: {
    readonly name: string;
    /** `address/length`. */
    readonly subnet: string;
    readonly gateway: string;
  };
  /** The way out of an isolated job; undefined where the namespace has its own. */
  readonly uplink?: { readonly hostLink: string; readonly hostAddress: string; readonly jobAddress: string };
}

/** What must stay the same for a job's clients, whatever happens to the process. */
export interface NetworkState {
  readonly version: 1;
  readonly createdAt: string;
  readonly ids: { readonly bridge: string; readonly host: string; readonly none: string };
  /** The users' networks, oldest first. */
  readonly networks?: readonly NetworkFacts[];
  /** Undefined until everything of it has been set up. */
  readonly foundation?: Foundation;
}

/** The state of a job that has none yet. */
export function createNetworkState(now: Date): NetworkState {
  const ids = { bridge: createRandomId(), host: createRandomId(), none: createRandomId() };
  return { version: 1, createdAt: now.toISOString().replace('Z', '000000Z'), ids };
}

/** Reads the job's state; undefined for a job without. The file is berth's own: what it holds is trusted. */
export async function readNetworkState(stateDir: string): Promise<NetworkState | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(stateDir), 'utf8')) as NetworkState;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw toEngineError(error, 'cannot read the state of the network');
  }
}

/** Replaces the job's state: a crash leaves the old one or the new one. */
export async function writeNetworkState(stateDir: string, state: NetworkState): Promise<void> {
  const path = stateFile(stateDir);
  try {
    await mkdir(stateDir, { recursive: true });
    await writeFile(`${path}.new`, JSON.stringify(state), { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  } catch (error) {
    throw toEngineError(error, 'cannot write the state of the network');
  }
}

function stateFile(stateDir: string): string {
  return join(stateDir, 'network.json');
}
