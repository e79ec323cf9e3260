import type { EndpointGroup } from '../../wire/endpoint-group.ts';
import type { Route, RouteDefinition } from './route.ts';

/** Puts endpoints into the group whose switch opens and closes them. */
export function inGroup(group: EndpointGroup, definitions: readonly RouteDefinition[]): readonly Route[] {
  return definitions.map((definition) => ({ ...definition, group }));
}
