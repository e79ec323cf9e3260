import { compileRoutePath } from './route-path.ts';
import type { Route } from './route.ts';

/** The route of a request, with its path's parameters, decoded. */
export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the first route, in the order given, that a method and a raw path lead to; URIError where it cannot be decoded. */
export type RouteTable = (method: string, path: string) => FoundRoute | undefined;

interface Entry {
  readonly route: Route;
  readonly pattern: RegExp;
}

const FIRST_SEGMENT = /^(?:\/v\d[^/]*)?\/([^/]*)/;
const ANY = ':';

/** Makes the table. Of a hundred patterns a request is compared with those of its method and first segment alone. */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const byStart = new Map<string, Entry[]>();
  for (const route of routes) {
    const [, first = ''] = route.path.split('/');
    const start = `${route.method} ${first.startsWith(ANY) ? ANY : first}`;
    const entries = byStart.get(start) ?? [];
    entries.push({ route, pattern: compileRoutePath(route.path) });
    byStart.set(start, entries);
  }
  const findIn = (start: string, path: string): FoundRoute | undefined => {
    for (const { route, pattern } of byStart.get(start) ?? []) {
      const match = pattern.exec(path);
      if (match) return { route, params: decodeGroups(match.groups ?? {}) };
    }
    return undefined;
  };
  return (method, path) =>
    findIn(`${method} ${FIRST_SEGMENT.exec(path)?.[1] ?? ''}`, path) ?? findIn(`${method} ${ANY}`, path);
}

function decodeGroups(
  groups: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(groups))
    if (value !== undefined) params[name] = decodeURIComponent(value);
  return params;
}
