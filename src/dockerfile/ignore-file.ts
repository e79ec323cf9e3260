import { EngineError } from '../errors.ts';
import { cleanPath } from './clean-path.ts';
import { compileIgnorePattern, type PathTest } from './file-pattern.ts';

interface IgnorePattern {
  /** True for `!pattern`: what fits is taken back in. */
  readonly isException: boolean;
  readonly matches: PathTest;
}

/** Which paths of a build context are left out; a slash at no end of a path. */
export interface IgnoreMatcher {
  /** True when there is nothing to leave out. */
  readonly isEmpty: boolean;
  isIgnored(path: string): boolean;
}

const MAX_PATTERNS = 10_000;

/** The patterns of an ignore file's text, cleaned as Docker does. */
export function parseIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => {
      const pattern = line.trim();
      const isException = pattern.startsWith('!');
      const bare = isException ? pattern.slice(1).trim() : pattern;
      return (isException ? '!' : '') + (bare === '' ? '' : cleanPath(bare).replace(/^\/(?=.)/, ''));
    });
}

/** Makes the matcher of a list of patterns, of which the last one that fits counts. */
export function createIgnoreMatcher(patterns: readonly string[]): IgnoreMatcher {
  if (patterns.length > MAX_PATTERNS)
    throw new EngineError('InvalidArgument', `more than ${MAX_PATTERNS} patterns to ignore`);
  const compiled = patterns.flatMap((pattern) => compile(pattern) ?? []);
  return {
    isEmpty: compiled.length === 0,
    isIgnored: (path) => isIgnored(compiled, path),
  };
}

function compile(pattern: string): IgnorePattern | undefined {
  const trimmed = pattern.trim();
  if (trimmed === '') return undefined;
  const isException = trimmed.startsWith('!');
  const text = isException ? trimmed.slice(1) : trimmed;
  if (text === '') throw new EngineError('InvalidArgument', 'illegal exclusion pattern: "!"');
  const clean = cleanPath(text);
  return { isException, matches: compileIgnorePattern(clean) };
}

// A directory that fits takes everything in it along.
function isIgnored(patterns: readonly IgnorePattern[], path: string): boolean {
  const names = path.split('/');
  const places = names.map((_, index) => names.slice(0, index + 1).join('/'));
  let result = false;
  for (const { isException, matches } of patterns) {
    // Only a pattern that would change the answer is tried.
    if (isException === result && places.some((place) => matches(place))) result = !isException;
  }
  return result;
}
