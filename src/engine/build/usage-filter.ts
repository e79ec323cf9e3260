import { ShapeError } from '../../errors.ts';
import { compileLinearRegexp } from '../../lib/linear-regexp.ts';
import type { BuildCacheRecord } from '../../wire/build-cache.ts';

type Test = (record: BuildCacheRecord) => boolean;

const FIELDS: Readonly<Record<string, (record: BuildCacheRecord) => string | boolean>> = {
  id: ({ ID }) => ID,
  type: ({ Type }) => Type,
  description: ({ Description }) => Description,
  inuse: ({ InUse }) => InUse,
  shared: ({ Shared }) => Shared,
  private: ({ Shared }) => !Shared,
  mutable: ({ Type }) => Type !== 'regular',
  immutable: ({ Type }) => Type === 'regular',
};

/** Which records of the build cache one of the filters names, in containerd's words; all without any. ShapeError for bad ones. */
export function usageFilter(filters: readonly string[]): Test {
  const tests = filters.filter((filter) => filter !== '').map(parseFilter);
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

function parseFilter(filter: string): Test {
  const parts = filter.split(',').map(parsePart);
  return (record) => parts.every((test) => test(record));
}

function parsePart(part: string): Test {
  const [, name = '', operator = '', value = ''] = /^([a-z]+)(?:(==|!=|~=)(.*))?$/.exec(part) ?? [];
  const read = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (!read) throw new ShapeError(`invalid filter ${JSON.stringify(part.slice(0, 100))}`);
  if (operator === '') return (record) => read(record) !== false && read(record) !== '';
  const wanted = unquote(value);
  if (operator === '==') return (record) => String(read(record)) === wanted;
  if (operator === '!=') return (record) => String(read(record)) !== wanted;
  const pattern = compileLinearRegexp(wanted);
  if (!pattern) throw new ShapeError(`invalid filter ${JSON.stringify(part.slice(0, 100))}`);
  return (record) => pattern.test(String(read(record)));
}

function unquote(value: string): string {
  return /^".*"$/s.test(value) ? value.slice(1, -1) : value;
}
