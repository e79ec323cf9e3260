import {
  isWord,
  parsePattern,
  UnsupportedPattern,
  type Assertion,
  type CharTest,
  type PatternNode,
} from './linear-regexp-parser.ts';

/** A compiled pattern; `test` looks for it anywhere in the text, in time proportional to pattern times text. */
export interface LinearRegexp {
  test(text: string): boolean;
}

type Instruction =
  | { readonly op: 'char'; readonly matches: CharTest }
  | { readonly op: 'assert'; readonly assertion: Assertion }
  | { op: 'split'; targets: number[] }
  | { readonly op: 'match' };

const MAX_INSTRUCTIONS = 1024;

/** The program under construction; counted repeats multiply, so every step of the work counts against the limit. */
class Program {
  readonly instructions: Instruction[] = [];
  #steps = 0;

  get length(): number {
    return this.instructions.length;
  }

  push(instruction: Instruction): void {
    this.instructions.push(instruction);
  }

  split(targets: number[]): { readonly targets: number[] } {
    const split = { op: 'split' as const, targets };
    this.push(split);
    return split;
  }

  countStep(): void {
    this.#steps += 1;
    if (this.#steps > MAX_INSTRUCTIONS) throw new UnsupportedPattern();
  }
}

function emit(program: Program, node: PatternNode): void {
  program.countStep();
  switch (node.kind) {
    case 'char':
      program.push({ op: 'char', matches: node.matches });
      return;
    case 'assert':
      program.push({ op: 'assert', assertion: node.assertion });
      return;
    case 'sequence':
      for (const one of node.nodes) emit(program, one);
      return;
    case 'choice':
      emitChoice(program, node.nodes);
      return;
    case 'repeat':
      emitRepeat(program, node);
  }
}

function emitChoice(program: Program, nodes: readonly PatternNode[]): void {
  const [only] = nodes;
  if (nodes.length === 1 && only) {
    emit(program, only);
    return;
  }
  const start = program.split([]);
  const ends = nodes.map((node) => {
    start.targets.push(program.length);
    emit(program, node);
    return program.split([]);
  });
  for (const end of ends) end.targets.push(program.length);
}

function emitRepeat(program: Program, { node, min, max }: Extract<PatternNode, { kind: 'repeat' }>): void {
  for (let count = 0; count < min; count += 1) emit(program, node);
  if (max === Infinity) {
    const start = program.split([program.length + 1]);
    const startAt = program.length - 1;
    emit(program, node);
    program.split([startAt]);
    start.targets.push(program.length);
    return;
  }
  const skips: { readonly targets: number[] }[] = [];
  for (let count = min; count < max; count += 1) {
    skips.push(program.split([program.length + 1]));
    emit(program, node);
  }
  for (const skip of skips) skip.targets.push(program.length);
}

function holds(assertion: Assertion, text: readonly number[], at: number): boolean {
  if (assertion === 'start') return at === 0;
  if (assertion === 'end') return at === text.length;
  const isBoundary = isWord(text[at - 1] ?? 0) !== isWord(text[at] ?? 0);
  return isBoundary === (assertion === 'boundary');
}

// All threads of the machine advance together, each instruction at most once per character: no backtracking.
function run(program: readonly Instruction[], text: readonly number[]): boolean {
  let waiting: number[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    const chars = follow(program, [...waiting, 0], { text, at });
    if (chars === 'matched') return true;
    const char = text[at];
    waiting = chars.flatMap(({ next, matches }) => (char !== undefined && matches(char) ? [next] : []));
  }
  return false;
}

function follow(
  program: readonly Instruction[],
  stack: number[],
  { text, at }: { readonly text: readonly number[]; readonly at: number },
): 'matched' | readonly { readonly next: number; readonly matches: CharTest }[] {
  const seen = new Set<number>();
  const chars: { readonly next: number; readonly matches: CharTest }[] = [];
  for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
    if (seen.has(pc)) continue;
    seen.add(pc);
    const instruction = program[pc];
    if (instruction?.op === 'match') return 'matched';
    if (instruction?.op === 'split') stack.push(...instruction.targets);
    else if (instruction?.op === 'assert' && holds(instruction.assertion, text, at)) stack.push(pc + 1);
    else if (instruction?.op === 'char') chars.push({ next: pc + 1, matches: instruction.matches });
  }
  return chars;
}

/** Compiles a pattern that a client wrote; undefined when it is not valid, not supported or too large. */
export function compileLinearRegexp(pattern: string): LinearRegexp | undefined {
  try {
    const program = new Program();
    emit(program, parsePattern(pattern));
    program.push({ op: 'match' });
    return {
      test: (text) =>
        run(
          program.instructions,
          Array.from(text, (char) => char.codePointAt(0) ?? 0),
        ),
    };
  } catch (error) {
    if (error instanceof UnsupportedPattern) return undefined;
    throw error;
  }
}
