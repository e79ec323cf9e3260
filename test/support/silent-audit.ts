import type { AuditEntry, AuditLog } from '../../src/state/audit-log.ts';

const NO_DECISIONS = { refused: 0, constrained: 0, warned: 0, allowed: 0 };

/** For tests that do not look at decisions. */
export const SILENT_AUDIT: AuditLog = { record: () => undefined, counts: () => NO_DECISIONS };

/** Adds every decision to the list. */
export function recordingAudit(decisions: AuditEntry[]): AuditLog {
  return { ...SILENT_AUDIT, record: (entry) => void decisions.push(entry) };
}
