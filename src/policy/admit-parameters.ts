import type { EndpointName } from '../wire/endpoint-parameters.ts';
import type { GateContext } from './gate-context.ts';
import { settle, type Judgement } from './judge.ts';
import type { ParameterRule } from './parameter-rule.ts';
import { PARAMETER_RULES } from './parameter-rules.ts';

/**
 * The gate of a request's query: throws for a value that its row refuses. `valuesOf` gives all values of a parameter;
 * `gate` is asked for only where there is something to be said, since every request comes by here.
 */
export function admitParameters(
  endpoint: EndpointName,
  valuesOf: (parameter: string) => readonly string[],
  gate: () => GateContext,
): void {
  const rows: Readonly<Record<string, ParameterRule>> = PARAMETER_RULES[endpoint];
  const judgements = Object.entries(rows).flatMap(([name, rule]) => {
    const { check } = rule;
    if (!check) return [];
    const findings = valuesOf(name).flatMap((text) => check(text, {}));
    return findings.map((finding): Judgement => ({ field: `query ${name}`, finding, rule }));
  });
  if (judgements.length > 0) settle(judgements, gate());
}
