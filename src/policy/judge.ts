import { EngineError, type ErrorKind } from '../errors.ts';
import { ALLOW_PRIVILEGED_SETTING } from './allow-privileged.ts';
import type { GateContext } from './gate-context.ts';
import type { Finding, Rule, RuleContext, RuleTable } from './rule.ts';

/** A finding with the field it is about and the row that made it. */
export interface Judgement {
  readonly field: string;
  readonly finding: Finding;
  readonly rule: Pick<Rule<never>, 'reason' | 'safer' | 'opensWithSetting'>;
}

/** Runs every row of a table over an object; `prefix` is the object's path in the request. */
export function judge<T extends object, C>(
  values: T,
  table: { readonly rules: RuleTable<T, C>; readonly prefix: string },
  context: C,
): readonly Judgement[] {
  return fieldsOf(table.rules).flatMap((name) => {
    const rule = table.rules[name];
    const value = presentValue(values, name);
    const findings = value === undefined ? [] : (rule.check?.(value, context) ?? []);
    return findings.map((finding) => ({ field: `${table.prefix}${name}`, finding, rule }));
  });
}

/** The object with every row's constraint applied. */
export function constrain<T extends object>(values: T, rules: RuleTable<T>, context: RuleContext): T {
  const changed: Partial<T> = {};
  for (const name of fieldsOf(rules)) {
    const value = presentValue(values, name);
    const rule = rules[name];
    if (value !== undefined && rule.constrain) {
      changed[name] = rule.constrain(value, context);
    }
  }
  return { ...values, ...changed };
}

function fieldsOf<T, C>(rules: RuleTable<T, C>): readonly (keyof T & string)[] {
  return Object.keys(rules) as (keyof T & string)[];
}

function presentValue<T, K extends keyof T>(values: T, name: K): Exclude<T[K], undefined> | undefined {
  return values[name] as Exclude<T[K], undefined> | undefined;
}

const ORDER: readonly (readonly [Exclude<Finding['kind'], 'warn'>, ErrorKind])[] = [
  ['deny', 'PermissionDenied'],
  ['bad', 'InvalidArgument'],
  ['missing', 'NotFound'],
  ['unsupported', 'NotImplemented'],
];

/** Throws for the weightiest judgement, or returns the warnings of a request that may pass. */
export function settle(judgements: readonly Judgement[], gate: GateContext): readonly string[] {
  const open = judgements.filter(({ finding, rule }) => !isOpened(finding, rule, gate));
  for (const [kind, errorKind] of ORDER) {
    const found = open.find(({ finding }) => finding.kind === kind);
    if (found) {
      throw new EngineError(errorKind, messageFor(found, gate));
    }
  }
  return [...new Set(open.flatMap(({ finding }) => (finding.kind === 'warn' ? [finding.message] : [])))];
}

function isOpened(finding: Finding, rule: Judgement['rule'], gate: GateContext): boolean {
  return finding.kind === 'deny' && rule.opensWithSetting === true && gate.allowPrivileged.allowed;
}

function messageFor({ field, finding, rule }: Judgement, gate: GateContext): string {
  if (finding.kind !== 'deny') {
    return finding.message;
  }
  const parts = [`${field} ${shorten(finding.asked)} is refused: ${rule.reason}.`];
  if (rule.opensWithSetting === true) {
    parts.push(
      `Set ${ALLOW_PRIVILEGED_SETTING} = true in the host's configuration to allow it (${gate.allowPrivileged.reason}).`,
    );
  }
  if (rule.safer !== undefined) {
    parts.push(`Safer: ${rule.safer}.`);
  }
  return parts.join(' ');
}

function shorten(asked: string): string {
  const line = asked.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
