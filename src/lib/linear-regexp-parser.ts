/** Whether one character, as its code point, fits. */
export type CharTest = (codePoint: number) => boolean;
/** A condition on a place between two characters. */
export type Assertion = 'start' | 'end' | 'boundary' | 'no-boundary';

/** A parsed pattern. */
export type PatternNode =
  | { readonly kind: 'char'; readonly matches: CharTest }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number };

const MAX_PATTERN_LENGTH = 256;
const MAX_REPEAT = 1000;
const MAX_DEPTH = 64;

/** ASCII letters, digits and the underscore. */
export const isWord: CharTest = (c) =>
  (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
const isDigit: CharTest = (c) => c >= 48 && c <= 57;
const isSpace: CharTest = (c) => c === 32 || c === 9 || c === 10 || c === 12 || c === 13;
const not =
  (matches: CharTest): CharTest =>
  (c) =>
    !matches(c);

const CLASSES = new Map<string, CharTest>([
  ['d', isDigit],
  ['D', not(isDigit)],
  ['w', isWord],
  ['W', not(isWord)],
  ['s', isSpace],
  ['S', not(isSpace)],
]);
const ASSERTIONS = new Map<string, Assertion>([
  ['A', 'start'],
  ['z', 'end'],
  ['b', 'boundary'],
  ['B', 'no-boundary'],
]);
const CONTROLS = new Map([
  ['n', 10],
  ['t', 9],
  ['r', 13],
  ['f', 12],
  ['v', 11],
]);

/** Thrown for a pattern that is not valid, not supported or too large. */
export class UnsupportedPattern extends Error {}

/** Reads the common part of Go's and JavaScript's pattern syntax. */
class Parser {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    if (pattern.length > MAX_PATTERN_LENGTH) throw new UnsupportedPattern();
    this.#chars = Array.from(pattern);
  }

  parse(): PatternNode {
    const node = this.#choice(0);
    if (this.#at < this.#chars.length) throw new UnsupportedPattern();
    return node;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new UnsupportedPattern();
    this.#at += 1;
    return char;
  }

  #take(text: string): boolean {
    const taken = Array.from(text).every((char, index) => this.#chars[this.#at + index] === char);
    if (taken) this.#at += text.length;
    return taken;
  }

  #choice(depth: number): PatternNode {
    if (depth > MAX_DEPTH) throw new UnsupportedPattern();
    const nodes = [this.#sequence(depth)];
    while (this.#take('|')) nodes.push(this.#sequence(depth));
    return { kind: 'choice', nodes };
  }

  #sequence(depth: number): PatternNode {
    const nodes: PatternNode[] = [];
    for (let char = this.#peek(); char !== undefined && char !== '|' && char !== ')'; char = this.#peek())
      nodes.push(this.#repeated(this.#atom(depth)));
    return { kind: 'sequence', nodes };
  }

  #repeated(node: PatternNode): PatternNode {
    const bounds = this.#bounds();
    if (!bounds) return node;
    this.#take('?'); // Greed decides which match is found, not whether there is one.
    const [min, max] = bounds;
    if (min > max || min > MAX_REPEAT || (max > MAX_REPEAT && max !== Infinity))
      throw new UnsupportedPattern();
    if (this.#bounds()) throw new UnsupportedPattern();
    return { kind: 'repeat', node, min, max };
  }

  #bounds(): readonly [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    const counted = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''));
    if (!counted) return undefined;
    const [whole, min = '', comma, max = ''] = counted;
    this.#at += whole.length;
    if (comma === '') return [Number(min), Number(min)];
    return [Number(min), max === '' ? Infinity : Number(max)];
  }

  #atom(depth: number): PatternNode {
    const char = this.#next();
    if ('*+?'.includes(char)) throw new UnsupportedPattern();
    switch (char) {
      case '(':
        return this.#group(depth);
      case '.':
        return { kind: 'char', matches: (c) => c !== 10 };
      case '^':
        return { kind: 'assert', assertion: 'start' };
      case '$':
        return { kind: 'assert', assertion: 'end' };
      case '[':
        return { kind: 'char', matches: this.#set() };
      case '\\':
        return this.#escape();
      default:
        return literal(char);
    }
  }

  #group(depth: number): PatternNode {
    if (this.#take('?') && !this.#take(':')) throw new UnsupportedPattern();
    const inner = this.#choice(depth + 1);
    if (!this.#take(')')) throw new UnsupportedPattern();
    return inner;
  }

  #escape(): PatternNode {
    const char = this.#next();
    const assertion = ASSERTIONS.get(char);
    if (assertion) return { kind: 'assert', assertion };
    const matches = CLASSES.get(char);
    return matches ? { kind: 'char', matches } : literal(String.fromCodePoint(escapedCodePoint(char)));
  }

  #set(): CharTest {
    const isNegated = this.#take('^');
    const tests: CharTest[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) tests.push(this.#setItem());
    this.#next();
    const matches: CharTest = (c) => tests.some((test) => test(c));
    return isNegated ? not(matches) : matches;
  }

  #setItem(): CharTest {
    if (this.#peek() === '[' && this.#chars[this.#at + 1] === ':') throw new UnsupportedPattern();
    const low = this.#setChar();
    if (typeof low === 'function') return low;
    if (this.#peek() !== '-' || this.#chars[this.#at + 1] === ']') return (c) => c === low;
    this.#next();
    const high = this.#setChar();
    if (typeof high === 'function' || high < low) throw new UnsupportedPattern();
    return (c) => c >= low && c <= high;
  }

  #setChar(): number | CharTest {
    const char = this.#next();
    if (char !== '\\') return char.codePointAt(0) ?? 0;
    const escaped = this.#next();
    return CLASSES.get(escaped) ?? escapedCodePoint(escaped);
  }
}

function literal(char: string): PatternNode {
  const wanted = char.codePointAt(0);
  return { kind: 'char', matches: (c) => c === wanted };
}

function escapedCodePoint(char: string): number {
  const control = CONTROLS.get(char);
  if (control !== undefined) return control;
  const codePoint = char.codePointAt(0) ?? 0;
  if (isWord(codePoint)) throw new UnsupportedPattern();
  return codePoint;
}

/** Parses a pattern, or throws UnsupportedPattern. */
export function parsePattern(pattern: string): PatternNode {
  return new Parser(pattern).parse();
}
