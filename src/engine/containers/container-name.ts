import { ShapeError } from '../../errors.ts';

const NAME_CHARACTERS = '[a-zA-Z0-9][a-zA-Z0-9_.-]';

/** Docker's rule for container names, with or without the leading slash. InvalidArgument in its words. */
export function checkContainerName(name: string): void {
  if (!new RegExp(`^/?${NAME_CHARACTERS}+$`).test(name))
    throw new ShapeError(`Invalid container name (${name}), only ${NAME_CHARACTERS} are allowed`);
}
