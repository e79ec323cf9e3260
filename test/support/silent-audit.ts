import type { AuditLog } from '../../src/state/audit-log.ts';

const NO_DECISIONS = { refused: 0, constrained: 0, warned: 0, allowed: 0 };

/** For tests that do not look at decisions. */
export const SILENT_AUDIT: AuditLog = { record: () => undefined, counts: () => NO_DECISIONS };
