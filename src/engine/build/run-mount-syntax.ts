import { EngineError } from '../../errors.ts';

/** What one `--mount` of a RUN asks for. */
export interface RunMount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  /** A stage or an image; empty for the build context. */
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly id: string;
  readonly isReadOnly: boolean;
  readonly isRequired: boolean;
  readonly sharing: 'shared' | 'private' | 'locked';
  /** Bytes; 0 where nothing is said. */
  readonly sizeBytes: number;
  readonly mode: number | undefined;
  readonly uid: number;
  readonly gid: number;
  /** Name of the variable that holds a secret, if it is to be one. */
  readonly env: string | undefined;
}

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const SHARING = ['shared', 'private', 'locked'] as const;
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};
const KEYS = new Set([
  'type',
  'from',
  'source',
  'target',
  'readonly',
  'readwrite',
  'id',
  'sharing',
  'required',
  'size',
  'mode',
  'uid',
  'gid',
  'env',
]);
const FLAGS = new Set(['readonly', 'readwrite', 'required']);
const OWN_TYPES: Readonly<Record<string, readonly RunMount['type'][]>> = {
  size: ['tmpfs'],
  sharing: ['cache'],
  required: ['secret', 'ssh'],
  mode: ['secret', 'ssh', 'cache'],
  uid: ['secret', 'ssh', 'cache'],
  gid: ['secret', 'ssh', 'cache'],
  env: ['secret'],
};
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** The stage or image that a mount is taken from; empty where it names none. */
export function mountSource(text: string): string {
  return fieldsOf(text).get('from') ?? '';
}

/** Reads a `--mount` whose words are expanded; InvalidArgument in the parser's words. */
export function parseRunMount(text: string): RunMount {
  const fields = fieldsOf(text);
  const word = (key: string, otherwise = ''): string => fields.get(key) ?? otherwise;
  const type = oneOf('mount type', word('type', 'bind'), TYPES);
  for (const [key, types] of Object.entries(OWN_TYPES))
    if (fields.has(key) && !types.includes(type))
      throw new EngineError('InvalidArgument', `unexpected key '${key}' for mount type '${type}'`);
  const mount: RunMount = {
    type,
    from: word('from'),
    source: word('source'),
    target: word('target'),
    id: word('id'),
    isReadOnly: readAccess(fields, type),
    isRequired: readFlag(fields, 'required') ?? false,
    sharing: oneOf('sharing value', word('sharing', 'shared'), SHARING),
    sizeBytes: readSize(fields.get('size')),
    mode: readNumber(fields, 'mode', 8),
    uid: readNumber(fields, 'uid', 10) ?? 0,
    gid: readNumber(fields, 'gid', 10) ?? 0,
    env: fields.get('env'),
  };
  refuseContradiction(mount);
  return mount;
}

function refuseContradiction({ type, source, target, id, from, env }: RunMount): void {
  if (type === 'secret' || type === 'ssh') {
    if (from !== '') throw new EngineError('InvalidArgument', `${type} mount should not have a from`);
    if (type === 'secret' && source === '' && target === '' && id === '' && env === undefined)
      throw new EngineError('InvalidArgument', 'invalid secret mount. one of source, target required');
  } else if (target === '') throw new EngineError('InvalidArgument', `${type} mount needs a target`);
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const word = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = ALIASES[word] ?? word;
    if (!KEYS.has(key)) throw new EngineError('InvalidArgument', `unexpected key '${word}' in '${field}'`);
    if (equals < 0 && !FLAGS.has(key))
      throw new EngineError('InvalidArgument', `invalid field '${field}' must be a key=value pair`);
    fields.set(key, equals < 0 ? 'true' : field.slice(equals + 1));
  }
  return fields;
}

/** Fields between commas; one that is quoted may have commas itself. */
function splitCsv(text: string): readonly string[] {
  const matches = text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return [...matches].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

function oneOf<T extends string>(what: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text.toLowerCase());
  if (found === undefined)
    throw new EngineError('InvalidArgument', `unsupported ${what} ${JSON.stringify(text.slice(0, 100))}`);
  return found;
}

function readAccess(fields: ReadonlyMap<string, string>, type: RunMount['type']): boolean {
  const isWritable = readFlag(fields, 'readwrite');
  const isReadOnly = readFlag(fields, 'readonly') ?? (isWritable === undefined ? undefined : !isWritable);
  return isReadOnly ?? (type !== 'cache' && type !== 'tmpfs');
}

function readFlag(fields: ReadonlyMap<string, string>, key: string): boolean | undefined {
  const text = fields.get(key);
  if (text === undefined) return undefined;
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new EngineError('InvalidArgument', `invalid value for ${key}: ${text.slice(0, 100)}`);
}

function readNumber(fields: ReadonlyMap<string, string>, key: string, base: 8 | 10): number | undefined {
  const text = fields.get(key);
  if (text === undefined) return undefined;
  const value = (base === 8 ? /^[0-7]{1,6}$/ : /^\d{1,10}$/).test(text) ? Number.parseInt(text, base) : NaN;
  if (!(value < 2 ** 31))
    throw new EngineError('InvalidArgument', `invalid value ${text.slice(0, 100)} for ${key}`);
  return value;
}

function readSize(text: string | undefined): number {
  if (text === undefined) return 0;
  const match = /^(\d{1,12})\s*([kmgt]?)(?:i?b)?$/i.exec(text);
  if (!match) throw new EngineError('InvalidArgument', `invalid value for size: ${text.slice(0, 100)}`);
  const [, amount = '', unit = ''] = match;
  return Number(amount) * (UNITS[unit.toLowerCase()] ?? 1);
}
