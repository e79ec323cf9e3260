import { EngineError } from '../errors.ts';
import { anyCharacter, literal, matchesGlob, noSlash, type GlobTest, type GlobToken } from '../lib/glob.ts';

/** Tells whether a path fits. */
export type PathTest = (path: string) => boolean;

const MAX_TOKENS = 4096;
const WILD = /[*?[\\]/;

/** True for a path that is to be looked for and not just taken. */
export function hasWildcards(path: string): boolean {
  return /[*?[]/.test(path.replace(/\\./gs, ''));
}

/** A pattern for one path, where `*` and `?` stop at slashes; InvalidArgument for one that makes no sense. */
export function compileFilePattern(pattern: string): PathTest {
  const tokens = parseTokens(pattern, false);
  return (path) => matchesGlob(tokens, path);
}

/** A pattern of an ignore file, where `**` stands for any number of directories. */
export function compileIgnorePattern(pattern: string): PathTest {
  const tokens = parseTokens(pattern, true);
  if (!WILD.test(pattern)) return (path) => path === pattern;
  if (isWildOnlyAtStart(pattern)) {
    const suffix = pattern.slice(2);
    return (path) => path.endsWith(suffix) || (suffix.startsWith('/') && path === suffix.slice(1));
  }
  if (isWildOnlyAtEnd(pattern)) {
    const prefix = pattern.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  return (path) => matchesGlob(tokens, path);
}

function isWildOnlyAtStart(pattern: string): boolean {
  return pattern.startsWith('**') && !WILD.test(pattern.slice(2));
}

function isWildOnlyAtEnd(pattern: string): boolean {
  return pattern.endsWith('**') && !WILD.test(pattern.slice(0, -2));
}

function parseTokens(pattern: string, hasDirectories: boolean): readonly GlobToken[] {
  const tokens = new PatternReader(pattern, hasDirectories).read();
  if (tokens.length > MAX_TOKENS)
    throw new EngineError('InvalidArgument', `pattern is longer than ${MAX_TOKENS} characters`);
  return tokens;
}

class PatternReader {
  readonly #characters: readonly string[];
  readonly #hasDirectories: boolean;
  readonly #tokens: GlobToken[] = [];
  #at = 0;

  constructor(pattern: string, hasDirectories: boolean) {
    this.#characters = Array.from(pattern);
    this.#hasDirectories = hasDirectories;
  }

  read(): readonly GlobToken[] {
    for (let character = this.#next(); character !== undefined; character = this.#next()) {
      if (character === '*') this.#readStar();
      else if (character === '?') this.#tokens.push({ kind: 'char', matches: noSlash });
      else if (character === '[') this.#tokens.push({ kind: 'char', matches: this.#readClass() });
      else this.#tokens.push({ kind: 'char', matches: literal(this.#unescaped(character)) });
    }
    return this.#tokens;
  }

  #next(): string | undefined {
    const character = this.#characters[this.#at];
    if (character !== undefined) this.#at += 1;
    return character;
  }

  #unescaped(character: string): string {
    return character === '\\' ? (this.#next() ?? this.#fail()) : character;
  }

  #readStar(): void {
    const isDouble = this.#hasDirectories && this.#characters[this.#at] === '*';
    if (!isDouble) {
      this.#tokens.push({ kind: 'star', matches: noSlash });
      return;
    }
    this.#at += 1;
    if (this.#characters[this.#at] === '/') this.#at += 1;
    const isLast = this.#at === this.#characters.length;
    this.#tokens.push(isLast ? { kind: 'star', matches: anyCharacter } : { kind: 'directories' });
  }

  #readClass(): GlobTest {
    const isNegated = this.#characters[this.#at] === '^';
    if (isNegated) this.#at += 1;
    const ranges: (readonly [low: number, high: number])[] = [];
    for (let next = this.#next(); next !== ']' || ranges.length === 0; next = this.#next()) {
      const low = this.#classMember(next);
      const isRange = this.#characters[this.#at] === '-';
      if (isRange) this.#at += 1;
      const high = isRange ? this.#classMember(this.#next()) : low;
      ranges.push([low, high]);
    }
    return (codePoint) => ranges.some(([low, high]) => low <= codePoint && codePoint <= high) !== isNegated;
  }

  #classMember(character: string | undefined): number {
    if (character === undefined || character === '-' || character === ']') return this.#fail();
    return this.#unescaped(character).codePointAt(0) ?? 0;
  }

  #fail(): never {
    throw new EngineError('InvalidArgument', 'syntax error in pattern');
  }
}
