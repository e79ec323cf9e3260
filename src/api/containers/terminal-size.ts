import type { TerminalSize } from '../../engine/containers/resize-container.ts';
import { EngineError } from '../../errors.ts';
import type { Query } from '../http/query.ts';

/** Kernel's `struct winsize` holds 16 bits for each. */
const MAX_CHARACTERS = 65_535;

/** `h` and `w` of a resize request; InvalidArgument unless both are there and fit a terminal. */
export function terminalSize(query: Query): TerminalSize {
  return { height: characters(query, 'h'), width: characters(query, 'w') };
}

function characters(query: Query, name: string): number {
  const value = query.int(name);
  if (value === undefined || value < 0 || value > MAX_CHARACTERS)
    throw new EngineError(
      'InvalidArgument',
      `invalid resize ${name === 'h' ? 'height' : 'width'}: "${query.string(name)}"`,
    );
  return value;
}
