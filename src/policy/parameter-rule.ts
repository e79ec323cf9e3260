import type { EndpointName, EndpointParameters } from '../wire/endpoint-parameters.ts';
import { bad, quote, type CheckOnly, type Finding } from './rule.ts';

/** Forms of values that have a reader of their own, which refuses what it cannot mean. */
export type ValueForm =
  | 'integer'
  | 'signal'
  | 'time of logs'
  | 'time of events'
  | 'container name'
  | 'new container name'
  | 'container reference'
  | 'path in a container'
  | 'options of ps'
  | 'condition of a wait'
  | 'detach keys'
  | 'side of a terminal'
  | 'changes'
  | 'name of a new image'
  | 'tag of a push'
  | 'tag of an image'
  | 'reference of a pull'
  | 'references of images'
  | 'pattern of references'
  | 'platform'
  | 'platform object'
  | 'platform objects'
  | 'kinds of things'
  | 'container filters'
  | 'image filters'
  | 'network filters'
  | 'volume filters'
  | 'event filters'
  | 'prune filters'
  | 'image prune filters'
  | 'volume prune filters'
  | 'cache prune filters';

/**
 * The row of a parameter in a query: `check` sees each of its values as text. A row with a form is of a value that the
 * reader of the form refuses and records itself; what explains a request asks the same reader.
 */
export type ParameterRule = CheckOnly<string, object> & { readonly form?: ValueForm };

/** A row for each parameter of an endpoint: leaving one out does not compile. */
export type ParameterTable<E extends EndpointName> = Readonly<Record<EndpointParameters[E], ParameterRule>>;

/** A table for each of these endpoints. */
export type ParameterTables<E extends EndpointName> = { readonly [N in E]: ParameterTable<N> };

/** A row of a value that its reader holds to a form, and why it has to be held to it. */
export function formed(form: ValueForm, reason: string): ParameterRule {
  return { verdict: 'bad', reason, form };
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
    form: 'side of a terminal',
    check: (text) => checkSide(side, text),
  };
}

function checkSide(side: string, text: string): readonly Finding[] {
  const isFine = /^\+?[0-9]{1,10}$/.test(text) && Number(text) <= 65_535;
  return isFine ? [] : [bad(`invalid resize ${side}: ${quote(text)}`)];
}
