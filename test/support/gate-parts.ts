import type { Settings } from '../../src/config/schema.ts';
import type { Job } from '../../src/engine/job.ts';
import type { HostFacts } from '../../src/host/types.ts';
import type { Budget } from '../../src/policy/gate-context.ts';
import { SILENT_AUDIT } from './silent-audit.ts';

const anything: unknown = new Proxy({}, { get: () => undefined });

/** What of a job its gate looks at, for tests whose requests hang on none of it: the gate is closed. */
export const GATE_PARTS: Pick<Job, 'audit' | 'settings' | 'host' | 'budget'> = {
  audit: SILENT_AUDIT,
  settings: anything as Settings,
  host: anything as HostFacts,
  budget: anything as Budget,
};
