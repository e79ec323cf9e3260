import type { EndpointName, EndpointParameters } from '../wire/endpoint-parameters.ts';
import { bad, quote, type CheckOnly, type Finding } from './rule.ts';

/**
 * The row of a parameter in a query: `check` sees each of its values as text. A row without one is of a value whose
 * reader refuses what it cannot mean (a reference, a signal, a filter) and records that itself.
 */
export type ParameterRule = CheckOnly<string, object>;

/** A row for each parameter of an endpoint: leaving one out does not compile. */
export type ParameterTable<E extends EndpointName> = Readonly<Record<EndpointParameters[E], ParameterRule>>;

/** A table for each of these endpoints. */
export type ParameterTables<E extends EndpointName> = { readonly [N in E]: ParameterTable<N> };

/** A row of a value that its reader holds to a form, and why it has to be held to it. */
export function formed(reason: string): ParameterRule {
  return { verdict: 'bad', reason };
}

/** A row of what was never carried out, or is not carried out here: any value but an empty one is refused with 501. */
export function notServed(what: string): ParameterRule {
  return {
    verdict: 'bad',
    reason: `${what}: refused with 501`,
    check: (text) => (text === '' ? [] : [{ kind: 'unsupported', message: what }]),
  };
}

/** A row of a number of characters of a terminal. */
export function terminalSide(side: 'height' | 'width'): ParameterRule {
  return {
    verdict: 'bad',
    reason: "the kernel's terminals have 16 bits for each side",
    check: (text) => checkSide(side, text),
  };
}

function checkSide(side: string, text: string): readonly Finding[] {
  const isFine = /^\+?[0-9]{1,10}$/.test(text) && Number(text) <= 65_535;
  return isFine ? [] : [bad(`invalid resize ${side}: ${quote(text)}`)];
}
