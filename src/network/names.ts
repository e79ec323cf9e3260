import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { EngineError } from '../errors.ts';

const slugPattern = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$/;
const containerIdPattern = /^[0-9a-f]{64}$/;

/** First letters of every uplink's host side; rules match all jobs' uplinks by it. */
export const uplinkPrefix = 'berth-u';
/** First letters of a default bridge that lives in a namespace with others. */
export const sharedBridgePrefix = 'berth-b';

/** First letters of a namespace file that was made ahead and that no container has yet. */
export const unclaimedPrefix = 'unclaimed-';

/** What everything of a job is marked with: namespace, rule table, comments, link aliases. */
export function jobMark(slug: string): string {
  if (!slugPattern.test(slug))
    throw new EngineError('InvalidArgument', `invalid job name: ${JSON.stringify(slug)}`);
  return `berth-${slug}`;
}

/** Where iproute2 looks for the namespace of an isolated job: a link to it. */
export function isolatedNetnsName(slug: string): string {
  return join('/run/netns', jobMark(slug));
}

/** Directory of the job's namespace files. */
export function netnsDirectory(runDir: string): string {
  return join(runDir, 'netns');
}

/** Where an isolated job's own namespace is mounted. */
export function isolatedNetnsPath(runDir: string): string {
  return join(netnsDirectory(runDir), 'isolated');
}

/** Where a job that shares a namespace holds on to it. */
export function sharedNetnsPath(runDir: string): string {
  return join(netnsDirectory(runDir), 'job');
}

/** Namespace file of a container; an id that is not 64 hex digits never becomes part of a path. */
export function sandboxPath(runDir: string, containerId: string): string {
  if (!containerIdPattern.test(containerId)) throw new EngineError('InvalidArgument', 'invalid container id');
  return join(netnsDirectory(runDir), containerId.slice(0, 12));
}

/** Name of the bridge of a user's network. */
export function userBridgeName(networkId: string): string {
  return `br-${networkId.slice(0, 12)}`;
}

/** True for what `userBridgeName` makes. */
export function isUserBridge(name: string): boolean {
  return /^br-[0-9a-f]{12}$/.test(name);
}

/** A fresh name for a namespace file that no container has yet. */
export function unclaimedPath(runDir: string): string {
  return join(netnsDirectory(runDir), `${unclaimedPrefix}${randomHex(12)}`);
}

/** A fresh name for the bridge's side of a container's link; 15 characters are the kernel's most. */
export function createVethName(): string {
  return `veth${randomHex(11)}`;
}

function randomHex(digits: number): string {
  return randomBytes(digits).toString('hex').slice(0, digits);
}
