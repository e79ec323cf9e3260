import type { ErrorKind } from '../errors.ts';
import { ALLOW_PRIVILEGED_SETTING } from './allow-privileged.ts';
import type { Decision } from './decision.ts';
import type { GateContext } from './gate-context.ts';
import { GateRefusal } from './gate-refusal.ts';
import { NO_IMAGE, type ImageFacts } from './image-pattern.ts';
import { isGranted } from './privilege-rule.ts';
import type { Finding, Rule, RuleContext, RuleTable } from './rule.ts';

/** A finding with the field it is about and the row that made it. */
export interface Judgement {
  readonly field: string;
  readonly finding: Finding;
  readonly rule: Pick<Rule<never>, 'reason' | 'safer' | 'opensWithSetting' | 'isSecret'>;
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
export function constrain<T extends object>(
  values: T,
  table: { readonly rules: RuleTable<T>; readonly prefix: string },
  context: RuleContext,
): T {
  const changed: Partial<T> = {};
  for (const name of fieldsOf(table.rules)) {
    const value = presentValue(values, name);
    const rule = table.rules[name];
    if (value === undefined || !rule.constrain) continue;
    const kept = rule.constrain(value, context);
    changed[name] = kept;
    // What was not asked for is filled in, not cut.
    if (!isZero(value) && JSON.stringify(kept) !== JSON.stringify(value))
      context.gate.onDecision?.({
        verdict: 'constrained',
        field: `${table.prefix}${name}`,
        ...(typeof value === 'object' ? {} : { asked: shorten(String(value)) }),
        reason: rule.reason,
      });
  }
  return { ...values, ...changed };
}

function isZero(value: unknown): boolean {
  return value === null || value === 0 || value === '' || value === false;
}

function fieldsOf<T, C>(rules: RuleTable<T, C>): readonly (keyof T & string)[] {
  return Object.keys(rules) as (keyof T & string)[];
}

function presentValue<T, K extends keyof T>(values: T, name: K): Exclude<T[K], undefined> | undefined {
  return values[name] as Exclude<T[K], undefined> | undefined;
}

const ORDER: readonly (readonly [Exclude<Finding['kind'], 'warn'>, ErrorKind])[] = [
  ['deny', 'PermissionDenied'],
  ['forbidden', 'PermissionDenied'],
  ['bad', 'InvalidArgument'],
  ['missing', 'NotFound'],
  ['unsupported', 'NotImplemented'],
];

/** Throws for the weightiest judgement, or returns the warnings of a request that may pass. */
export function settle(
  judgements: readonly Judgement[],
  gate: GateContext,
  image: ImageFacts = NO_IMAGE,
): readonly string[] {
  const settled = judgements.map((judgement) => withSettings(judgement, gate, image));
  for (const judgement of settled) gate.onDecision?.(decisionOf(judgement, gate));
  const open = settled.filter(({ isOpened }) => !isOpened);
  for (const [kind, errorKind] of ORDER) {
    const found = open.find(({ finding }) => finding.kind === kind);
    if (found) {
      throw new GateRefusal(errorKind, messageFor(found, gate));
    }
  }
  return [...new Set(open.flatMap(({ finding }) => (finding.kind === 'warn' ? [finding.message] : [])))];
}

type Settled = Judgement & { readonly isOpened: boolean };

/** What the operator's settings make of a denial. */
function withSettings(judgement: Judgement, gate: GateContext, image: ImageFacts): Settled {
  const { finding, rule } = judgement;
  if (finding.kind !== 'deny' || rule.opensWithSetting !== true) return { ...judgement, isOpened: false };
  if (gate.allowPrivileged.allowed) return { ...judgement, isOpened: true };
  const granted = isGranted(finding.grant, image, gate.allowPrivileged.rules);
  if (granted !== 'if pulled') return { ...judgement, isOpened: granted === 'yes' };
  // Without the image nobody knows whether the rule holds; clients pull it when they read this, and ask again.
  const message = `No such image: ${familiar(image.askedName ?? '')}`;
  return { ...judgement, finding: { kind: 'missing', message }, isOpened: false };
}

function familiar(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/(?=[^/]*$))?/, '');
}

function decisionOf(judgement: Settled, gate: GateContext): Decision {
  const { field, finding, rule, isOpened } = judgement;
  const setting = rule.opensWithSetting === true ? { setting: ALLOW_PRIVILEGED_SETTING } : {};
  if (finding.kind === 'deny') {
    const asked = rule.isSecret === true ? {} : { asked: shorten(finding.asked) };
    return isOpened
      ? { verdict: 'allowed', field, ...asked, reason: gate.allowPrivileged.reason, ...setting }
      : { verdict: 'refused', field, ...asked, reason: rule.reason, ...setting };
  }
  const reason = rule.isSecret === true ? rule.reason : shorten(finding.message);
  return { verdict: finding.kind === 'warn' ? 'warned' : 'refused', field, reason };
}

function messageFor({ field, finding, rule }: Judgement, { allowPrivileged }: GateContext): string {
  if (finding.kind !== 'deny') {
    return finding.message;
  }
  const parts = [`${field} ${shorten(finding.asked)} is refused: ${rule.reason}.`];
  if (rule.opensWithSetting === true) {
    parts.push(
      `Set ${ALLOW_PRIVILEGED_SETTING} = true in the host's configuration to allow it ` +
        `(${allowPrivileged.reason}; fence: ${allowPrivileged.fence}).`,
    );
  } else parts.push(`No setting allows it (fence: ${allowPrivileged.fence}).`);
  if (rule.safer !== undefined) {
    parts.push(`Safer: ${rule.safer}.`);
  }
  return parts.join(' ');
}

function shorten(asked: string): string {
  const line = asked.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
