import { expandWords, type Variables } from './expand-word.ts';
import type { Heredoc } from './types.ts';

const HEREDOC = /^(\d*)<<(-?)\s*([^<]*)$/;
const NONE: Variables = new Map();

/** The heredocs that a line announces, in order, without their text. */
export function findHeredocs(line: string): readonly Heredoc[] {
  let words: readonly string[];
  try {
    words = expandWords(line, NONE, { escape: '\\', isRaw: true });
  } catch {
    // Quotes that do not match are the shell's business.
    return [];
  }
  return words.flatMap((word) => readHeredoc(word) ?? []);
}

/** The heredoc that a word stands for, without its text; undefined for any other word. */
export function readHeredoc(word: string): Heredoc | undefined {
  const match = HEREDOC.exec(word);
  const [, , dash = '', rest = ''] = match ?? [];
  if (rest === '') return undefined;
  const plain = expandWords(rest, NONE, { escape: '\\' });
  const raw = expandWords(rest, NONE, { escape: '\\', isRaw: true });
  const [name] = plain;
  if (name === undefined || plain.length !== 1 || raw.length !== 1) return undefined;
  return {
    name,
    isExpanded: countQuotes(name) === countQuotes(raw[0] ?? ''),
    isChomped: dash === '-',
    content: '',
  };
}

/** The text of a heredoc as its reader gets it. */
export function heredocText({ content, isChomped }: Heredoc): string {
  return isChomped ? content.replace(/^\t+/gm, '') : content;
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, '').length;
}
