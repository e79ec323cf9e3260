import type { CreateRequest } from '../wire/create-request.ts';
import type { GateContext } from './gate-context.ts';
import type { Grant } from './privilege-rule.ts';

/** What a rule can do with a value that is not harmless; `free` never does anything. */
export type Verdict = 'free' | 'deny' | 'constrain' | 'warn' | 'bad';

/** What is wrong with a value, or what the client must be told about it. */
export type Finding =
  | { readonly kind: 'deny'; readonly asked: string; readonly grant?: Grant }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'bad'; readonly message: string }
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'unsupported'; readonly message: string }
  | { readonly kind: 'warn'; readonly message: string };

/** What a rule sees besides the field's own value. */
export interface RuleContext {
  readonly gate: GateContext;
  readonly request: CreateRequest;
}

/** One row of the gate's table: the verdict on a field, why, and how it is reached. C is all that it depends on. */
export interface Rule<T, C = RuleContext> {
  readonly verdict: Verdict;
  /** Why the verdict is what it is; a refusal shows it. */
  readonly reason: string;
  /** What to do instead; a refusal shows it. */
  readonly safer?: string;
  /** True when the operator's `dind.allow_privileged` turns a denial into consent. */
  readonly opensWithSetting?: boolean;
  /** True where the value may hold a secret: no log has it, nor a message about it. */
  readonly isSecret?: boolean;
  readonly check?: (value: T, context: C) => readonly Finding[];
  /** The value that takes effect, where it is not the one asked for; applied once, again it changes nothing. */
  readonly constrain?: (value: T, context: C) => T;
}

/** A row for each member of T: leaving one out does not compile. */
export type RuleTable<T, C = RuleContext> = { readonly [K in keyof T]-?: Rule<Exclude<T[K], undefined>, C> };

/** A row that changes nothing of the value, so that it serves fields of any narrower type too. */
export type CheckOnly<T, C = RuleContext> = Omit<Rule<T, C>, 'constrain'>;

/** A row that lets everything through, and why that is safe. */
export function free(reason: string): CheckOnly<unknown, unknown> {
  return { verdict: 'free', reason };
}

/** A finding that refuses with 403; `asked` is what the client wrote, `grant` what a rule of the operator would have to give. */
export function deny(asked: string, grant?: Grant): Finding {
  return { kind: 'deny', asked, ...(grant === undefined ? {} : { grant }) };
}

/** A finding that answers 403 in dockerd's words: what no daemon lets anybody do, whatever its settings. */
export function forbid(message: string): Finding {
  return { kind: 'forbidden', message };
}

/** A finding that answers 400. */
export function bad(message: string): Finding {
  return { kind: 'bad', message };
}

/** A finding that answers 404: what is another job's is as absent as what nobody has. */
export function missing(message: string): Finding {
  return { kind: 'missing', message };
}

/** The findings of a claim: none while it holds. */
export function unless(isFine: boolean, finding: Finding): readonly Finding[] {
  return isFine ? [] : [finding];
}

/** A client's text for a message: quoted, on one line, and not longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
