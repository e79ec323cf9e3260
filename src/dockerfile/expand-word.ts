import { EngineError, messageOf } from '../errors.ts';
import { replacePattern, trimPrefix, trimSuffix } from './shell-pattern.ts';

/** Variables by name; a name that is absent is unset, which is not the same as empty. */
export type Variables = ReadonlyMap<string, string>;

/** How words are read. */
export interface WordOptions {
  readonly escape: string;
  /** Keep quotes and escapes, and leave unset variables as they are: to find heredocs in a line. */
  readonly isRaw?: boolean;
  /** Quotes are characters like any other: the text of a heredoc. */
  readonly keepsQuotes?: boolean;
}

const SPECIAL = new Set(['@', '*', '#', '?', '-', '$', '!', '0']);
const MODIFIERS = new Set(['+', '-', '?', '#', '%']);
const SPACE = /\s/u;
const NAME = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;
const MAX_DEPTH = 64;
const MAX_RESULT = 1024 * 1024;

/** The word with its quotes taken away and its variables replaced; InvalidArgument in the parser's words. */
export function expandWord(word: string, variables: Variables, options: WordOptions): string {
  return process(word, variables, options).result;
}

/** The word expanded and then split where there are unquoted spaces. */
export function expandWords(word: string, variables: Variables, options: WordOptions): readonly string[] {
  return process(word, variables, options).words;
}

/** A list of `NAME=value` as variables; the last one of a name counts. */
export function variablesOf(env: readonly string[]): Map<string, string> {
  return new Map(
    env.map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

interface Processed {
  readonly result: string;
  readonly words: readonly string[];
}

function process(word: string, variables: Variables, options: WordOptions): Processed {
  try {
    return new WordScanner(word, variables, options).run();
  } catch (error) {
    throw new EngineError(
      'InvalidArgument',
      `failed to process ${JSON.stringify(word.slice(0, 512))}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function syntaxError(message: string): EngineError {
  return new EngineError('InvalidArgument', message);
}

class WordScanner {
  readonly #characters: readonly string[];
  readonly #variables: Variables;
  readonly #escape: string;
  readonly #isRaw: boolean;
  readonly #keepsQuotes: boolean;
  #at = 0;
  #depth = 0;

  constructor(word: string, variables: Variables, options: WordOptions) {
    this.#characters = Array.from(word);
    this.#variables = variables;
    this.#escape = options.escape;
    this.#isRaw = options.isRaw ?? false;
    this.#keepsQuotes = options.keepsQuotes ?? false;
  }

  run(): Processed {
    return this.#until(undefined, this.#isRaw);
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string | undefined {
    const character = this.#characters[this.#at];
    if (character !== undefined) this.#at += 1;
    return character;
  }

  #until(stop: string | undefined, keepsEscapes: boolean): Processed {
    const words = new WordList();
    let result = '';
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (character === stop) {
        this.#at += 1;
        return { result, words: words.finish() };
      }
      const part = this.#part(character, keepsEscapes);
      result += part.text;
      if (result.length > MAX_RESULT) throw syntaxError('the expanded word is too long');
      if (part.isQuoted) words.addQuoted(part.text);
      else words.add(part.text);
    }
    if (stop !== undefined)
      throw syntaxError(`unexpected end of statement while looking for matching ${stop}`);
    return { result, words: words.finish() };
  }

  #part(character: string, keepsEscapes: boolean): { readonly text: string; readonly isQuoted: boolean } {
    if (character === '$') return { text: this.#dollar(), isQuoted: false };
    if (character === "'" && !this.#keepsQuotes) return { text: this.#singleQuote(), isQuoted: true };
    if (character === '"' && !this.#keepsQuotes)
      return { text: this.#doubleQuote(keepsEscapes), isQuoted: true };
    if (character === '<') return { text: this.#heredocMark(), isQuoted: true };
    this.#at += 1;
    if (character !== this.#escape) return { text: character, isQuoted: false };
    const escaped = this.#next() ?? '';
    return { text: keepsEscapes ? character + escaped : escaped, isQuoted: true };
  }

  #singleQuote(): string {
    this.#at += 1;
    const end = this.#characters.indexOf("'", this.#at);
    if (end < 0) throw syntaxError('unexpected end of statement while looking for matching single-quote');
    const text = this.#characters.slice(this.#at, end).join('');
    this.#at = end + 1;
    return this.#isRaw ? `'${text}'` : text;
  }

  #doubleQuote(keepsEscapes: boolean): string {
    this.#at += 1;
    let result = this.#isRaw ? '"' : '';
    for (;;) {
      const character = this.#peek();
      if (character === undefined)
        throw syntaxError('unexpected end of statement while looking for matching double-quote');
      if (character === '$') {
        result += this.#dollar();
        continue;
      }
      this.#at += 1;
      if (character === '"') return this.#isRaw ? `${result}"` : result;
      result += character === this.#escape ? this.#escapedInQuotes(keepsEscapes) : character;
    }
  }

  // Inside double quotes the escape character is itself unless it stands before one of these.
  #escapedInQuotes(keepsEscapes: boolean): string {
    const following = this.#peek();
    if (following === undefined) return '';
    if (following !== '"' && following !== '$' && following !== this.#escape)
      return keepsEscapes ? this.#escape + this.#escape : this.#escape;
    this.#at += 1;
    return keepsEscapes ? this.#escape + following : following;
  }

  // `<< WORD` is one word, whatever space stands between.
  #heredocMark(): string {
    this.#at += 1;
    if (this.#peek() !== '<') return '<';
    this.#at += 1;
    let space = '';
    for (let next = this.#peek(); next === ' ' || next === '\t'; next = this.#peek()) {
      space += next;
      this.#at += 1;
    }
    return `<<${space}`;
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#peek() !== '{') {
      const name = this.#name();
      if (name === '') return '$';
      return this.#variables.get(name) ?? (this.#isRaw ? `$${name}` : '');
    }
    this.#at += 1;
    const first = this.#peek();
    if (first === undefined) throw syntaxError("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':') throw syntaxError('syntax error: bad substitution');
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw syntaxError('syntax error: substitutions are nested too deep');
    const value = this.#substitution(this.#name());
    this.#depth -= 1;
    return value;
  }

  #substitution(name: string): string {
    const mark = this.#next();
    if (mark === undefined) throw syntaxError("syntax error: missing '}'");
    const value = this.#variables.get(name);
    if (mark === '}') return value ?? (this.#isRaw ? `\${${name}}` : '');
    if (mark === '/') return this.#replacement(name, value);
    const { modifier, shown } = this.#modifier(mark);
    const isTrim = modifier === '#' || modifier === '%';
    const word = this.#operand('}', isTrim);
    if (this.#isRaw && value === undefined) return `\${${name}${shown}${word}}`;
    if (isTrim) return trim(modifier, word, value ?? '');
    return choose({ name, modifier, word, value, treatsEmptyAsUnset: shown.startsWith(':') });
  }

  // With a colon before it, an empty value counts as none.
  #modifier(mark: string): { readonly modifier: string; readonly shown: string } {
    const modifier = (mark === ':' ? this.#next() : mark) ?? '';
    const shown = mark === ':' ? `:${modifier}` : modifier;
    if (!MODIFIERS.has(modifier) || shown === ':#' || shown === ':%')
      throw syntaxError(`unsupported modifier (${shown}) in substitution`);
    return { modifier, shown };
  }

  #replacement(name: string, value: string | undefined): string {
    const isAll = this.#peek() === '/';
    if (isAll) this.#at += 1;
    const pattern = this.#operand('/', true, "syntax error: missing '/' in ${}");
    const replacement = this.#operand('}', true);
    if (this.#isRaw && value === undefined) return `\${${name}/${pattern}/${replacement}}`;
    return replacePattern(value ?? '', { pattern, replacement, isAll });
  }

  #operand(stop: string, keepsEscapes: boolean, missing = "syntax error: missing '}'"): string {
    try {
      return this.#until(stop, keepsEscapes).result;
    } catch (error) {
      throw this.#peek() === undefined ? syntaxError(missing) : error;
    }
  }

  #name(): string {
    const first = this.#peek() ?? '';
    if (DIGIT.test(first)) return this.#while(DIGIT);
    if (SPECIAL.has(first)) {
      this.#at += 1;
      return first;
    }
    return this.#while(NAME);
  }

  #while(test: RegExp): string {
    const start = this.#at;
    for (let next = this.#peek(); next !== undefined && test.test(next); next = this.#peek()) this.#at += 1;
    return this.#characters.slice(start, this.#at).join('');
  }
}

function trim(modifier: '#' | '%', word: string, value: string): string {
  const isGreedy = word.startsWith(modifier);
  const pattern = isGreedy ? word.slice(1) : word;
  return modifier === '#' ? trimPrefix(pattern, value, isGreedy) : trimSuffix(pattern, value, isGreedy);
}

function choose(asked: {
  readonly name: string;
  readonly modifier: string;
  readonly word: string;
  readonly value: string | undefined;
  readonly treatsEmptyAsUnset: boolean;
}): string {
  const { name, modifier, word, value, treatsEmptyAsUnset } = asked;
  const isMissing = value === undefined || (treatsEmptyAsUnset && value === '');
  if (modifier === '-') return isMissing ? word : value;
  if (modifier === '+') return isMissing ? '' : word;
  if (!isMissing) return value;
  const why = value === undefined ? 'is not allowed to be unset' : 'is not allowed to be empty';
  throw syntaxError(`${name}: ${word === '' ? why : word}`);
}

class WordList {
  readonly #words: string[] = [];
  #word = '';

  add(text: string): void {
    for (const character of text) {
      if (!SPACE.test(character)) this.#word += character;
      else this.#flush();
    }
  }

  addQuoted(text: string): void {
    this.#word += text;
  }

  finish(): readonly string[] {
    this.#flush();
    return this.#words;
  }

  #flush(): void {
    if (this.#word !== '') this.#words.push(this.#word);
    this.#word = '';
  }
}
