import { EngineError } from '../errors.ts';

const SPACE = /\s/u;

/** Splits the flags (`--name=value`) at the beginning of an instruction's arguments from the rest. */
export function splitFlags(
  text: string,
  escape: string,
): { readonly flags: readonly string[]; readonly rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && SPACE.test(text.charAt(at))) at += 1;
    if (!text.startsWith('--', at)) return { flags, rest: text.slice(at) };
    const flag = readFlag(text, at, escape);
    at = flag.end;
    if (flag.word === '--') return { flags, rest: text.slice(at) };
    if (flag.word !== '') flags.push(flag.word);
  }
}

/** One word with its quotes and escapes taken away. */
function readFlag(
  text: string,
  start: number,
  escape: string,
): { readonly word: string; readonly end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === '' && SPACE.test(character)) break;
    if (character === quote) quote = '';
    else if (quote === '' && isQuote(character)) quote = character;
    else if (character === escape) {
      at += 1;
      word += text.charAt(at);
    } else word += character;
  }
  return { word, end: at };
}

/** Splits at spaces outside of quotes; quotes and escapes stay in the words. */
export function splitQuoted(text: string, escape: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (SPACE.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    const { word, end } = readQuoted(text, at, escape);
    if (word !== '') words.push(word);
    at = end;
  }
  return words;
}

function readQuoted(
  text: string,
  start: number,
  escape: string,
): { readonly word: string; readonly end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === '' && SPACE.test(character)) break;
    if (character === escape && quote !== "'") {
      // At the very end there is nothing to escape.
      if (at + 1 < text.length) word += character + text.charAt(at + 1);
      at += 1;
      continue;
    }
    if (character === quote) quote = '';
    else if (quote === '' && isQuote(character)) quote = character;
    word += character;
  }
  return { word, end: at };
}

function isQuote(character: string): boolean {
  return character === "'" || character === '"';
}

/** Splits at any run of blanks; nothing at all is no word. */
export function splitBlanks(text: string): readonly string[] {
  return text === '' ? [] : text.split(/[\t\v\f\r ]+/);
}

/** A JSON list of strings; undefined for what is not a JSON list, InvalidArgument for a list of anything else. */
export function parseJsonWords(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (!value.every((one) => typeof one === 'string'))
    throw new EngineError(
      'InvalidArgument',
      'when using JSON array syntax, arrays must be comprised of strings only',
    );
  return value;
}
