import { ShapeError } from '../../errors.ts';

/** A JSON number as it was written: the decoder of the field decides what it may be. */
export interface JsonNumber {
  readonly number: string;
}

/** Members by name in a Map, so that `__proto__` and `constructor` are names like any other. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** What `parseStrictJson` makes of a document. */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

const MAX_DEPTH = 64;
const MAX_VALUES = 100_000;

const WHITESPACE = /[ \t\n\r]*/y;
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y; // eslint-disable-line no-control-regex -- JSON forbids them raw
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const UNICODE_ESCAPE = /[0-9a-fA-F]{4}/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function invalid(message: string): ShapeError {
  return new ShapeError(`invalid JSON: ${message}`);
}

/** One pass over one document; recursion is bounded by MAX_DEPTH. */
class Parser {
  readonly #text: string;
  #position = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    this.#skipWhitespace();
    if (this.#position === this.#text.length) {
      throw invalid('got EOF while reading request body');
    }
    const value = this.#value();
    this.#skipWhitespace();
    if (this.#position < this.#text.length) {
      throw new ShapeError('unexpected content after JSON');
    }
    return value;
  }

  #value(): JsonValue {
    this.#values += 1;
    if (this.#values > MAX_VALUES) {
      throw invalid(`more than ${MAX_VALUES} values`);
    }
    switch (this.#peek()) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case 't':
        return this.#literal('true', true);
      case 'f':
        return this.#literal('false', false);
      case 'n':
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  #nested<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw invalid(`exceeded max depth (${MAX_DEPTH})`);
    }
    this.#position += 1;
    this.#skipWhitespace();
    const value = parse();
    this.#depth -= 1;
    return value;
  }

  #object(): JsonObject {
    const members = new Map<string, JsonValue>();
    if (this.#take('}')) {
      return members;
    }
    for (;;) {
      if (this.#peek() !== '"') {
        throw this.#unexpected('looking for beginning of object key string');
      }
      const key = this.#string();
      if (members.has(key)) {
        throw invalid(`duplicate key ${JSON.stringify(key)}`);
      }
      this.#skipWhitespace();
      this.#expect(':', 'after object key');
      this.#skipWhitespace();
      members.set(key, this.#value());
      this.#skipWhitespace();
      if (this.#take('}')) {
        return members;
      }
      this.#expect(',', 'after object key:value pair');
      this.#skipWhitespace();
    }
  }

  #array(): readonly JsonValue[] {
    const items: JsonValue[] = [];
    if (this.#take(']')) {
      return items;
    }
    for (;;) {
      items.push(this.#value());
      this.#skipWhitespace();
      if (this.#take(']')) {
        return items;
      }
      this.#expect(',', 'after array element');
      this.#skipWhitespace();
    }
  }

  #string(): string {
    this.#position += 1;
    const parts: string[] = [];
    for (;;) {
      parts.push(this.#match(PLAIN_CHARACTERS));
      if (this.#take('"')) {
        break;
      }
      if (!this.#take('\\')) {
        throw this.#unexpected('in string literal');
      }
      parts.push(this.#escape());
    }
    const value = parts.join('');
    if (LONE_SURROGATE.test(value)) {
      throw invalid('string with half of a surrogate pair');
    }
    return value;
  }

  #escape(): string {
    const short = SHORT_ESCAPES.get(this.#peek());
    if (short !== undefined) {
      this.#position += 1;
      return short;
    }
    this.#expect('u', 'in string escape code');
    const digits = this.#match(UNICODE_ESCAPE);
    if (digits === '') {
      throw this.#unexpected('in \\u hexadecimal character escape');
    }
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): JsonNumber {
    const number = this.#match(NUMBER);
    if (number === '') {
      throw this.#unexpected('looking for beginning of value');
    }
    if (!Number.isFinite(Number(number))) {
      throw invalid(`number ${number} is out of range`);
    }
    return { number };
  }

  #literal<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#position)) {
      throw this.#unexpected(`in literal ${word}`);
    }
    this.#position += word.length;
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += found.length;
    return found;
  }

  #skipWhitespace(): void {
    this.#match(WHITESPACE);
  }

  #peek(): string {
    return this.#text.charAt(this.#position);
  }

  #take(character: string): boolean {
    const isNext = this.#peek() === character;
    this.#position += isNext ? 1 : 0;
    return isNext;
  }

  #expect(character: string, where: string): void {
    if (!this.#take(character)) {
      throw this.#unexpected(where);
    }
  }

  #unexpected(where: string): ShapeError {
    const code = this.#text.codePointAt(this.#position);
    if (code === undefined) {
      return invalid('unexpected EOF');
    }
    return invalid(`invalid character ${quoteCharacter(code)} ${where}`);
  }
}

function quoteCharacter(code: number): string {
  const isPlain = code >= 0x20 && code < 0x7f;
  return isPlain ? `'${String.fromCodePoint(code)}'` : `'\\u${code.toString(16).padStart(4, '0')}'`;
}

/**
 * Parses exactly one JSON document, stricter than JSON.parse: no duplicate keys, no half surrogate pairs,
 * bounded depth and size. InvalidArgument in dockerd's words.
 */
export function parseStrictJson(text: string): JsonValue {
  return new Parser(text).document();
}

/** As `parseStrictJson`, from the bytes of a request; anything but UTF-8 without a byte order mark is refused. */
export function parseJsonBody(body: Uint8Array): JsonValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (error) {
    throw new ShapeError('invalid JSON: invalid UTF-8', { cause: error });
  }
  return parseStrictJson(text);
}
