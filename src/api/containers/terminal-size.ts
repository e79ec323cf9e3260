import type { TerminalSize } from '../../engine/containers/resize-container.ts';
import { ShapeError } from '../../errors.ts';
import type { Query } from '../http/query.ts';

/** `h` and `w` of a resize request, which the gate has held to a terminal's bounds; InvalidArgument unless both are there. */
export function terminalSize(query: Query<'h' | 'w'>): TerminalSize {
  return { height: characters(query, 'h'), width: characters(query, 'w') };
}

function characters(query: Query<'h' | 'w'>, name: 'h' | 'w'): number {
  const value = query.int(name);
  if (value === undefined) throw new ShapeError(`invalid resize ${name === 'h' ? 'height' : 'width'}: ""`);
  return value;
}
