import { ShapeError } from '../../errors.ts';
import { familiarName, familiarString, parseReference } from '../../oci/reference.ts';

/** InvalidArgument for a pattern with a class that does not end, or a backslash before nothing. */
export function checkReferencePattern(pattern: string): void {
  if (/(^|[^\\])(\\\\)*\[[^\]]*$|(^|[^\\])(\\\\)*\\$/.test(pattern))
    throw new ShapeError('syntax error in pattern');
}

/** True when the `reference` filter's pattern matches the name with or without its tag; `*` and `?` stop at a slash. */
export function matchReference(pattern: string, name: string): boolean {
  const reference = parseReference(name);
  return matchGlob(pattern, familiarString(reference)) || matchGlob(pattern, familiarName(reference));
}

// One pass with a single step back: no pattern can make it slow, as it could with a regular expression.
function matchGlob(pattern: string, text: string): boolean {
  const tokens = tokenize(pattern);
  let token = 0;
  let at = 0;
  let star: { token: number; at: number } | undefined;
  while (at < text.length) {
    const current = tokens[token];
    if (current === '*') {
      star = { token, at };
      token += 1;
    } else if (current?.(text.charAt(at)) === true) {
      token += 1;
      at += 1;
    } else if (star && text.charAt(star.at) !== '/') {
      star.at += 1;
      token = star.token + 1;
      at = star.at;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

type Token = '*' | ((character: string) => boolean);

function tokenize(pattern: string): readonly Token[] {
  const parts = pattern.match(/\\.|\[\^?[^\]]+\]|./gsu) ?? [];
  return parts.map((part): Token => {
    if (part === '*') return '*';
    if (part === '?') return (character) => character !== '/';
    if (part.startsWith('[') && part.length > 2) return classMatcher(part.slice(1, -1));
    const literal = part.startsWith('\\') && part.length > 1 ? part.slice(1) : part;
    return (character) => character === literal;
  });
}

function classMatcher(content: string): (character: string) => boolean {
  const isNegated = content.startsWith('^');
  const ranges = [...(isNegated ? content.slice(1) : content).matchAll(/(.)(?:-(.))?/gsu)];
  return (character) =>
    ranges.some(([, low = '', high = low]) => low <= character && character <= high) !== isNegated;
}
