import type { ExecRequest } from '../../wire/exec-request.ts';

/** The event's action with the command in it; dockerd has a blank after the program, arguments or not. */
export function execAction(
  action: 'exec_create' | 'exec_start',
  { argv }: Pick<ExecRequest, 'argv'>,
): string {
  const [program = '', ...args] = argv;
  return `${action}: ${program} ${args.join(' ')}`;
}
