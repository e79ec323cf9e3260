const VERSION_PREFIX = '(?:/v(?<apiVersion>(?:0|[1-9]\\d{0,3})\\.(?:0|[1-9]\\d{0,3})))?';

function segmentPattern(segment: string): string {
  const parameter = /^:(\w+)(\*?)$/.exec(segment);
  if (!parameter) return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const [, name = '', star] = parameter;
  return star === '*' ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`;
}

/** A route's path as a pattern of raw request paths, with or without a version before it: its one and only meaning. */
export function compileRoutePath(path: string): RegExp {
  const pattern = path.split('/').map(segmentPattern).join('/');
  return new RegExp(`^${VERSION_PREFIX}${pattern}$`);
}
