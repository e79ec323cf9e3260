import { EngineError } from '../../errors.ts';

const DEFAULT_KEYS = Buffer.from([16, 17]);
const CONTROL_KEYS = 'abcdefghijklmnopqrstuvwxyz[\\]^_';

/** Docker's detach keys (`ctrl-p,ctrl-q`, `a,b`) as the bytes a terminal sends; empty means the default. */
export function parseDetachKeys(keys: string): Buffer {
  if (keys === '') return DEFAULT_KEYS;
  return Buffer.from(keys.split(',').map((key) => parseKey(key, keys)));
}

function parseKey(key: string, keys: string): number {
  if (key.length === 1) return key.charCodeAt(0);
  const name = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase() ?? '';
  if (name === '@') return 0;
  const index = name === '' ? -1 : CONTROL_KEYS.indexOf(name);
  if (index < 0) throw new EngineError('InvalidArgument', `Invalid detach keys (${keys}) provided`);
  return index + 1;
}
