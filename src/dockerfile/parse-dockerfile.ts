import { EngineError, messageOf } from '../errors.ts';
import { Directives } from './directives.ts';
import { findHeredocs } from './heredocs.ts';
import { splitFlags } from './split-words.ts';
import type { DockerfileNode, Heredoc, ParsedDockerfile } from './types.ts';

const MAX_LINE = 65_535;
const MAX_NODES = 10_000;
const HEREDOC_WORDS = new Set(['ADD', 'COPY', 'RUN']);
const LEADING_SPACE = /^\s+/u;

/** Takes a Dockerfile's text apart into instructions; InvalidArgument with the line and in the parser's words. */
export function parseDockerfile(text: string): ParsedDockerfile {
  const reader = new DockerfileReader(text.replace(/^\uFEFF/, ''));
  const nodes = readNodes(reader);
  // It is in no line that nothing is.
  if (nodes.length === 0) throw new EngineError('InvalidArgument', 'file with no instructions');
  return { nodes, escape: reader.escape, syntax: reader.syntax, warnings: reader.warnings };
}

function readNodes(reader: DockerfileReader): readonly DockerfileNode[] {
  try {
    return reader.readAll();
  } catch (error) {
    throw parseError(error, reader.line);
  }
}

/** An error of one instruction, with its line. */
export function parseError(error: unknown, line: number): EngineError {
  return new EngineError('InvalidArgument', `dockerfile parse error on line ${line}: ${messageOf(error)}`, {
    cause: error,
  });
}

/** Takes one line apart: the form that ONBUILD keeps its trigger in. */
function parseLine(
  original: string,
  options: { readonly escape: string; readonly line: number },
): DockerfileNode {
  const trimmed = original.trim();
  const word = /^\S*/.exec(trimmed)?.[0] ?? '';
  const { flags, rest } = splitFlags(trimmed.slice(word.length), options.escape);
  return { word, original, flags, rest: rest.trim(), heredocs: [], line: options.line };
}

class DockerfileReader {
  readonly warnings: string[] = [];
  readonly #lines: readonly string[];
  readonly #directives = new Directives();
  #at = 0;
  /** First line of the instruction that is being read. */
  #startLine = 1;

  constructor(text: string) {
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    this.#lines = lines;
  }

  get escape(): string {
    return this.#directives.escape;
  }

  get syntax(): string {
    return this.#directives.syntax;
  }

  get line(): number {
    return this.#startLine;
  }

  readAll(): readonly DockerfileNode[] {
    const nodes: DockerfileNode[] = [];
    for (let line = this.#nextLine(); line !== undefined; line = this.#nextLine()) {
      this.#startLine = this.#at;
      const trimmed = line.replace(LEADING_SPACE, '');
      this.#directives.read(trimmed);
      if (trimmed === '' || trimmed.startsWith('#')) continue;
      nodes.push(this.#readNode(this.#joinContinued(trimmed)));
      if (nodes.length > MAX_NODES)
        throw new EngineError('InvalidArgument', `more than ${MAX_NODES} instructions`);
    }
    return nodes;
  }

  #nextLine(): string | undefined {
    const line = this.#lines[this.#at];
    if (line === undefined) return undefined;
    this.#at += 1;
    if (line.length > MAX_LINE)
      throw new EngineError(
        'InvalidArgument',
        `dockerfile line greater than max allowed size of ${MAX_LINE}`,
      );
    return line.replace(/\r+$/, '');
  }

  #joinContinued(first: string): string {
    const parts: string[] = [];
    let hasEmptyLine = false;
    let head = this.#withoutContinuation(first);
    parts.push(head ?? first);
    while (head !== undefined) {
      const line = this.#nextLine();
      if (line === undefined) break;
      const bare = line.trim();
      if (bare.startsWith('#')) continue;
      if (bare === '') {
        hasEmptyLine = true;
        continue;
      }
      head = this.#withoutContinuation(line);
      parts.push(head ?? line);
    }
    const joined = parts.join('');
    if (hasEmptyLine) this.warnings.push(`Empty continuation line found in: ${joined}`);
    return joined;
  }

  /** The line without the mark at its end that says it goes on; undefined where it does not. */
  #withoutContinuation(line: string): string | undefined {
    const bare = line.replace(/[ \t]+$/, '');
    if (!bare.endsWith(this.escape)) return undefined;
    const before = bare.slice(0, -1);
    return before.endsWith(this.escape) ? undefined : before;
  }

  #readNode(original: string): DockerfileNode {
    const node = parseLine(original, { escape: this.escape, line: this.#startLine });
    if (!original.includes('<<') || !canHaveHeredocs(node, this.escape)) return node;
    const heredocs = findHeredocs(original).map((heredoc) => this.#readHeredocText(heredoc));
    return { ...node, heredocs };
  }

  #readHeredocText(heredoc: Heredoc): Heredoc {
    const content: string[] = [];
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      this.#at += 1;
      const bare = line.replace(/\r+$/, '');
      if ((heredoc.isChomped ? bare.replace(/^\t+/, '') : bare) === heredoc.name)
        return { ...heredoc, content: content.join('') };
      content.push(`${line}\n`);
    }
    throw new EngineError('InvalidArgument', 'unterminated heredoc');
  }
}

function canHaveHeredocs(node: DockerfileNode, escape: string): boolean {
  const word = node.word.toUpperCase();
  if (word === 'ONBUILD') return canHaveHeredocs(parseLine(node.rest, { escape, line: node.line }), escape);
  return HEREDOC_WORDS.has(word) && !isJsonList(node.rest);
}

function isJsonList(rest: string): boolean {
  try {
    return rest.startsWith('[') && Array.isArray(JSON.parse(rest));
  } catch {
    return false;
  }
}
