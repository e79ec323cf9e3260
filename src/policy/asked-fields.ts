import type { CreateRequest } from '../wire/create-request.ts';
import { CONTAINER_CONFIG_RULES } from './container-config-rules.ts';
import { HOST_CONFIG_RULES } from './host-config-rules.ts';
import type { Verdict } from './rule.ts';

/** A field in which a request differs from one that asks for nothing, with its row of the gate's table. */
export interface AskedField {
  readonly field: string;
  readonly rule: Verdict;
  readonly reason: string;
}

/** Everything that a create request asks for; `plain` is what the decoder makes of an image's name alone. */
export function askedFields(request: CreateRequest, plain: CreateRequest): readonly AskedField[] {
  return [
    ...differences({ prefix: 'HostConfig.', rules: HOST_CONFIG_RULES }, request.hostConfig, plain.hostConfig),
    ...differences({ prefix: 'Config.', rules: CONTAINER_CONFIG_RULES }, request.config, plain.config),
  ];
}

const EMPTY: ReadonlySet<string | undefined> = new Set(['null', '[]', '{}', '""', '0', 'false', undefined]);

type Rows = Readonly<Record<string, { readonly verdict: Verdict; readonly reason: string }>>;

function differences(
  table: { readonly prefix: string; readonly rules: Rows },
  values: object,
  plain: object,
): readonly AskedField[] {
  const plainValues = new Map<string, unknown>(Object.entries(plain));
  return Object.entries(values).flatMap(([name, value]: [string, unknown]) => {
    const row = table.rules[name];
    // An empty list or map asks for nothing that its absence does not; where it does, the gate has said so.
    const isEmpty = EMPTY.has(JSON.stringify(value));
    const isAsked = !isEmpty && JSON.stringify(value) !== JSON.stringify(plainValues.get(name));
    return row && isAsked ? [{ field: `${table.prefix}${name}`, rule: row.verdict, reason: row.reason }] : [];
  });
}
