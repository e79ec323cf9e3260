import { ShapeError } from '../../errors.ts';

const DEFAULT_KEYS = Buffer.from([16, 17]);
const CONTROL_KEYS = 'abcdefghijklmnopqrstuvwxyz[\\]^_';

/** Docker's detach keys (`ctrl-p,ctrl-q`, `a,b`) as the bytes a terminal sends; empty means the default. */
export function parseDetachKeys(keys: string, called: 'detach' | 'escape' = 'detach'): Buffer {
  if (keys === '') return DEFAULT_KEYS;
  return Buffer.from(keys.split(',').map((key) => parseKey(key, { keys, called })));
}

function parseKey(key: string, all: { readonly keys: string; readonly called: string }): number {
  if (key.length === 1) return key.charCodeAt(0);
  const name = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase() ?? '';
  if (name === '@') return 0;
  const index = name === '' ? -1 : CONTROL_KEYS.indexOf(name);
  if (index < 0) throw new ShapeError(`Invalid ${all.called} keys (${all.keys}) provided`);
  return index + 1;
}
