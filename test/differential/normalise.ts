import type { Answer } from './answer.ts';

/** What one daemon's answers called things, and what the tables call them. */
export type Names = ReadonlyMap<string, string>;

interface Normaliser {
  readonly what: string;
  readonly pattern: RegExp;
  readonly by: string;
}

/** What differs between any two daemons; everything else in a text is compared as it is. */
const IN_TEXT: readonly Normaliser[] = [
  {
    what: 'moments of this run',
    pattern: /20[2-9]\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g,
    by: '<time>',
  },
  { what: 'ids made at random', pattern: /\b(?<!sha256:)[0-9a-f]{64}\b/g, by: '<id>' },
  { what: 'short ids and host names', pattern: /\b[0-9a-f]{12}\b/g, by: '<short id>' },
  { what: 'MAC addresses', pattern: /\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, by: '<mac>' },
  { what: 'private addresses', pattern: /\b(172|192|10)(\.\d{1,3}){3}\b/g, by: '<address>' },
  { what: 'ages', pattern: /\b(Less than a second|(\d+|About a) (second|minute)s?)\b/g, by: '<age>' },
  { what: 'temporary ports', pattern: /^(3[2-9]|4\d|5\d|6\d)\d{3}$/g, by: '<port>' },
  { what: 'digests of pushes', pattern: /digest: sha256:[0-9a-f]{64} size: \d+/g, by: 'digest: <digest>' },
  { what: 'sizes', pattern: /\b\d+(\.\d+)?(B|kB|MB)\b/g, by: '<size>' },
];

/** Times in seconds and nanoseconds, process ids, sizes that file systems decide, by the member's name. */
const NUMBERS =
  /^(Created|time|timeNano|Pid|pid|mtime|SpaceReclaimed|SizeRw|SizeRootFs|PublicPort|Size|VirtualSize|SharedSize|LayersSize)$/;

/** Lists that dockerd gives in the order of a Go map: none. */
const UNORDERED = /^(Mounts|Ports)$/;

/** Members that are called so by the daemon where the client gives no name; elsewhere such a text is no name. */
const NAMES = /^(Name|Names|name)$/;
const GENERATED_NAME = /^\/?[a-z]+_[a-z]+\d?$/;

/** Members whose value is a place of the daemon's own on the host. */
const PLACES = /^(Mountpoint|Source|LogPath|ResolvConfPath|HostnamePath|HostsPath|SandboxKey)$/;

/** The answer with everything replaced that no two daemons have in common. */
export function normaliseAnswer(answer: Answer, names: Names): Answer {
  return {
    status: answer.status,
    headers: normalise(answer.headers, names) as Answer['headers'],
    body: normalise(answer.body, names),
  };
}

function normalise(value: unknown, names: Names, key = ''): unknown {
  if (typeof value === 'string') return normaliseText(value, names, key);
  if (typeof value === 'number' && value > 0 && NUMBERS.test(key)) return `<${key}>`;
  if (Array.isArray(value)) {
    const normal = value.map((one) => normalise(one, names, key));
    return UNORDERED.test(key) ? sorted(normal) : normal;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      normaliseText(name, names, ''),
      normalise(member, names, name),
    ]),
  );
}

function normaliseText(text: string, names: Names, key: string): string {
  let normal = text;
  for (const [id, name] of names) {
    normal = normal.replaceAll(id, `{${name}}`).replaceAll(id.slice(0, 12), `{${name} short}`);
  }
  if (PLACES.test(key) && normal.startsWith('/')) return '<place>';
  if (NAMES.test(key) && GENERATED_NAME.test(normal)) return '<generated name>';
  for (const { pattern, by } of IN_TEXT) normal = normal.replaceAll(pattern, by);
  return normal;
}

/** The value with every leaf replaced by its type; lists keep one of each kind of element. */
export function typesOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const kinds = new Map(value.map(typesOf).map((kind) => [JSON.stringify(kind), kind]));
    return [...kinds].sort(([a], [b]) => a.localeCompare(b)).map(([, kind]) => kind);
  }
  if (value === null) return null;
  if (typeof value !== 'object') return `<${typeof value}>`;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, typesOf(member)]));
}

/** The list with one of each kind of element, for what happens again and again at moments of its own. */
export function distinct(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return [...new Map(value.map((one: unknown) => [JSON.stringify(sorted(one)), one])).values()];
}

/** By name where there is one, so that another difference does not move an element. */
function sortKey(value: unknown): string {
  const { Name, Destination, PrivatePort, Id } = Object(value) as Readonly<Record<string, unknown>>;
  return `${JSON.stringify([Name, Destination, PrivatePort, Id])}${JSON.stringify(value)}`;
}

/** The value with every list in the order of its elements' text. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => sortKey(a).localeCompare(sortKey(b)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  );
}
