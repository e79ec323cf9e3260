import { ShapeError } from '../../errors.ts';

const NAME_CHARACTERS = '[a-zA-Z0-9][a-zA-Z0-9_.-]';
const MAX_NAME_LENGTH = 255;

/** dockerd's rule for names of local volumes. InvalidArgument in its words. */
export function checkVolumeName(name: string): void {
  const refuse = (reason: string): ShapeError => new ShapeError(`create ${name}: ${reason}`);
  if (name.length === 1)
    throw refuse('volume name is too short, names should be at least two alphanumeric characters');
  if (!new RegExp(`^${NAME_CHARACTERS}+$`).test(name))
    throw refuse(
      `${JSON.stringify(name)} includes invalid characters for a local volume name, only "${NAME_CHARACTERS}" are allowed. ` +
        'If you intended to pass a host directory, use absolute path',
    );
  if (name.length > MAX_NAME_LENGTH) throw refuse('file name too long');
}
