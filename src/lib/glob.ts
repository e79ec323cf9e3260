/** Whether one character, as its code point, fits. */
export type GlobTest = (codePoint: number) => boolean;

/** One part of a pattern: one character, any number of fitting ones, or nothing at all or anything that ends with a slash. */
export type GlobToken =
  | { readonly kind: 'char'; readonly matches: GlobTest }
  | { readonly kind: 'star'; readonly matches: GlobTest }
  | { readonly kind: 'directories' };

const SLASH = 47;

/** Fits every character. */
export const anyCharacter: GlobTest = () => true;

/** Fits every character but a slash. */
export const noSlash: GlobTest = (codePoint) => codePoint !== SLASH;

/** Fits one character only. */
export function literal(character: string): GlobTest {
  const wanted = character.codePointAt(0);
  return (codePoint) => codePoint === wanted;
}

/** Text as code points, as the functions here take it. */
export function codePointsOf(text: string): readonly number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

// States of a run: `i` waits for token i; `~i` is inside of the directories that token i stands for. All at once, so that
// the time is that of pattern times text, whatever the pattern.
type States = Set<number>;

function enter(tokens: readonly GlobToken[], states: States, state: number): void {
  if (states.has(state)) return;
  states.add(state);
  const token = state >= 0 ? tokens[state] : undefined;
  if (token && token.kind !== 'char') enter(tokens, states, state + 1);
}

function step(tokens: readonly GlobToken[], states: States, codePoint: number): States {
  const next: States = new Set();
  for (const state of states) {
    const index = state >= 0 ? state : ~state;
    const token = tokens[index];
    if (token?.kind === 'directories') {
      enter(tokens, next, ~index);
      if (codePoint === SLASH) enter(tokens, next, index + 1);
    } else if (token?.matches(codePoint) === true) {
      enter(tokens, next, token.kind === 'char' ? index + 1 : index);
    }
  }
  return next;
}

function initial(tokens: readonly GlobToken[]): States {
  const states: States = new Set();
  enter(tokens, states, 0);
  return states;
}

/** True when the pattern fits the whole text. */
export function matchesGlob(tokens: readonly GlobToken[], text: string): boolean {
  let states = initial(tokens);
  for (const codePoint of codePointsOf(text)) {
    states = step(tokens, states, codePoint);
    if (states.size === 0) return false;
  }
  return states.has(tokens.length);
}

/** Where a match that begins at `start` ends, the shortest or the longest one; undefined where there is none. */
export function globEnd(
  tokens: readonly GlobToken[],
  text: readonly number[],
  options: { readonly start: number; readonly isGreedy: boolean },
): number | undefined {
  let states = initial(tokens);
  let end = states.has(tokens.length) ? options.start : undefined;
  for (let at = options.start; at < text.length && states.size > 0; at += 1) {
    if (end !== undefined && !options.isGreedy) return end;
    states = step(tokens, states, text[at] ?? 0);
    if (states.has(tokens.length)) end = at + 1;
  }
  return end;
}

/** For each place of the text whether a match begins there, wherever it ends; not for patterns with directories. */
export function globStarts(tokens: readonly GlobToken[], text: readonly number[]): readonly boolean[] {
  const backward = [...tokens].reverse();
  const starts = new Array<boolean>(text.length + 1).fill(false);
  let states = initial(backward);
  starts[text.length] = states.has(backward.length);
  for (let at = text.length - 1; at >= 0; at -= 1) {
    states = step(backward, states, text[at] ?? 0);
    enter(backward, states, 0);
    starts[at] = states.has(backward.length);
  }
  return starts;
}
