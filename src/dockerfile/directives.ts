import { EngineError } from '../errors.ts';

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const KNOWN = new Set(['escape', 'syntax', 'check']);

/** Reads the directives (`# escape=`, `# syntax=`, `# check=`) that stand before everything else in a Dockerfile. */
export class Directives {
  readonly #found = new Map<string, string>();
  #isOver = false;

  get escape(): string {
    return this.#found.get('escape') ?? '\\';
  }

  get syntax(): string {
    return this.#found.get('syntax') ?? '';
  }

  /** Looks at the next line, without its end; only the lines up to the first one that is none count. */
  read(line: string): void {
    if (this.#isOver) return;
    const match = DIRECTIVE.exec(line);
    if (!match) {
      this.#isOver = true;
      return;
    }
    const [, name = '', value = ''] = match;
    const key = name.toLowerCase();
    if (!KNOWN.has(key)) return;
    if (this.#found.has(key))
      throw new EngineError('InvalidArgument', `only one ${key} parser directive can be used`);
    if (key === 'escape' && value !== '\\' && value !== '`')
      throw new EngineError('InvalidArgument', `invalid escape token '${value}' does not match \` or \\`);
    this.#found.set(key, value);
  }
}
