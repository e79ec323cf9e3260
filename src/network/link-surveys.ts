import { EngineError } from '../errors.ts';
import { readWord } from '../host/netlink-message.ts';
import type { NetlinkSocket } from '../host/netlink.ts';
import {
  getLink,
  isDefaultRoute,
  linkIndexOffset,
  linkName,
  listLinks,
  listRoutes,
  routeDestination,
} from './link-messages.ts';

/** Names of all links, and the blocks of IPv4 that all routing tables have routes to. */
export interface Survey {
  readonly names: ReadonlySet<string>;
  readonly routed: readonly string[];
}

/** Whether there is a way to all of IPv6, and the blocks of it that all routing tables have routes to. */
export interface Ipv6Survey {
  readonly hasDefault: boolean;
  readonly routed: readonly string[];
}

/** Asks for all links and IPv4 routes. */
export async function survey(socket: NetlinkSocket): Promise<Survey> {
  const [links = []] = await socket.request([listLinks()]);
  const [routes = []] = await socket.request([listRoutes('inet')]);
  return {
    names: new Set(links.flatMap((message) => linkName(message) ?? [])),
    routed: routes.flatMap((message) => routeDestination(message) ?? []),
  };
}

/** Asks for all IPv6 routes. */
export async function surveyIpv6(socket: NetlinkSocket): Promise<Ipv6Survey> {
  const [routes = []] = await socket.request([listRoutes('inet6')]);
  return {
    hasDefault: routes.some(isDefaultRoute),
    routed: routes.flatMap((message) => routeDestination(message) ?? []),
  };
}

/** The number of a link, by which messages name it. */
export async function indexOf(socket: NetlinkSocket, name: string): Promise<number> {
  return readWord(await tellOf(socket, name), linkIndexOffset);
}

/** The message about one link. */
export async function tellOf(socket: NetlinkSocket, name: string): Promise<Buffer> {
  const [told] = await socket.request([getLink(name)]);
  const [message] = told ?? [];
  if (!message) throw new EngineError('Internal', `the kernel does not tell of the link ${name}`);
  return message;
}
