import { bad, quote, type Finding } from './rule.ts';

const LINK = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]*(?::\/?[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252})?$/;
const MAX_LINKS = 100;

/** Findings about links: `container` or `container:alias`; the alias becomes a line of /etc/hosts and names of variables. */
export function checkLinks(links: readonly string[]): readonly Finding[] {
  if (links.length > MAX_LINKS) return [bad(`more than ${MAX_LINKS} links`)];
  if (links.includes('')) return [bad('empty string specified for links')];
  const malformed = links.find((link) => !LINK.test(link));
  return malformed === undefined ? [] : [bad(`bad format for links: ${quote(malformed)}`)];
}

/** The two parts of a link that passed `checkLinks`. */
export function parseLink(link: string): { readonly target: string; readonly alias: string } {
  const [target = '', alias = target] = link.split(':', 2).map((part) => part.replace(/^\//, ''));
  return { target, alias };
}
