import { EngineError } from '../errors.ts';
import { anyCharacter, codePointsOf, globEnd, globStarts, literal, type GlobToken } from '../lib/glob.ts';

const MAX_TOKENS = 256;

/** The pattern of `${name#pattern}`: `*`, `?` and characters, each of which a backslash takes literally. */
export function parseShellPattern(pattern: string): readonly GlobToken[] {
  const tokens: GlobToken[] = [];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star', matches: anyCharacter });
    } else if (character === '?') tokens.push({ kind: 'char', matches: anyCharacter });
    else {
      if (character === '\\') at += 1;
      const taken = characters[at];
      if (taken === undefined)
        throw new EngineError('InvalidArgument', 'invalid escape at the end of pattern');
      tokens.push({ kind: 'char', matches: literal(taken) });
    }
  }
  if (tokens.length > MAX_TOKENS)
    throw new EngineError('InvalidArgument', `pattern is longer than ${MAX_TOKENS} characters`);
  return tokens;
}

/** `${name#pattern}`, with `isGreedy` `${name##pattern}`: the value without the beginning that fits. */
export function trimPrefix(pattern: string, value: string, isGreedy: boolean): string {
  const text = codePointsOf(value);
  const end = globEnd(parseShellPattern(pattern), text, { start: 0, isGreedy });
  return end === undefined ? value : fromCodePoints(text.slice(end));
}

/** `${name%pattern}`, with `isGreedy` `${name%%pattern}`: the value without the end that fits. */
export function trimSuffix(pattern: string, value: string, isGreedy: boolean): string {
  const text = codePointsOf(value);
  const backward = [...text].reverse();
  const tokens = [...parseShellPattern(pattern)].reverse();
  const length = globEnd(tokens, backward, { start: 0, isGreedy });
  return length === undefined ? value : fromCodePoints(text.slice(0, text.length - length));
}

/** `${name/pattern/replacement}`, with `isAll` `${name//pattern/replacement}`: the longest fits replaced. */
export function replacePattern(
  value: string,
  how: { readonly pattern: string; readonly replacement: string; readonly isAll: boolean },
): string {
  const text = codePointsOf(value);
  const tokens = parseShellPattern(how.pattern);
  const starts = globStarts(tokens, text);
  let result = '';
  let isDone = false;
  for (let at = 0; at <= text.length;) {
    const end =
      !isDone && starts[at] === true ? globEnd(tokens, text, { start: at, isGreedy: true }) : undefined;
    if (end !== undefined) {
      result += how.replacement;
      isDone = !how.isAll;
    }
    // An empty fit takes nothing away: the character after it stays.
    if (end === undefined || end === at) {
      result += fromCodePoints(text.slice(at, at + 1));
      at += 1;
    } else at = end;
    if (end !== undefined && end === text.length) break;
  }
  return result;
}

function fromCodePoints(codePoints: readonly number[]): string {
  return codePoints.map((one) => String.fromCodePoint(one)).join('');
}
