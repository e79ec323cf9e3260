import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { JobPaths } from '../engine/job.ts';
import { EngineError } from '../errors.ts';
import type { Settings } from '../config/schema.ts';

/** Everything on the host that bears the job's name; all of it follows from the id and the settings. */
export interface JobNames {
  readonly jobId: string;
  /** The id where it can be part of every kind of name, else a digest of it. */
  readonly slug: string;
  /** containerd's namespace. */
  readonly namespace: string;
  readonly cgroupPath: string;
  readonly paths: JobPaths;
  /** Names the boot that the job was last served in. */
  readonly bootFile: string;
  /** Held for the life of the process that serves the job. */
  readonly lockFile: string;
}

/** What containerd takes as a namespace and nftables as a table: words joined by single separators. */
const PLAIN = /^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$/;

/** Names and places of a job. InvalidArgument for an id that cannot be a directory's name. */
export function jobNames(settings: Settings, jobId: string, socket?: string): JobNames {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(jobId))
    throw new EngineError(
      'InvalidArgument',
      `invalid job id ${JSON.stringify(jobId)}: up to 63 characters, of [a-zA-Z0-9_.-], the first a letter or digit`,
    );
  const runDir = join(settings.runDir, jobId);
  const stateDir = join(settings.root, 'jobs', jobId);
  const slug = PLAIN.test(jobId) ? jobId : hashOf(jobId);
  return {
    jobId,
    slug,
    namespace: `berth-${slug}`,
    cgroupPath: join(settings.cgroupParent, jobId),
    bootFile: join(stateDir, 'boot'),
    lockFile: join(stateDir, 'lock'),
    paths: {
      stateDir,
      runDir,
      socket: socket ?? join(runDir, 'docker.sock'),
      controlSocket: join(runDir, 'control.sock'),
    },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
