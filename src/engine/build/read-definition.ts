import type { BuildSession } from '../../buildkit/types.ts';
import { EngineError } from '../../errors.ts';

/** Name that buildx gives the directory of the context. */
export const CONTEXT = 'context';
/** And the one where the Dockerfile is. */
const DOCKERFILE = 'dockerfile';

/** What a build is to be carried out by. */
export interface Definition {
  readonly text: string;
  /** Text of the ignore file that goes with this Dockerfile alone. */
  readonly ignore: string | undefined;
  /** Text of the context's, which holds where the Dockerfile has none. */
  readonly ignoreOfContext: string | undefined;
}

/** Reads the Dockerfile and what is to be ignored from the client; NotFound in BuildKit's words. */
export async function readDefinition(session: BuildSession, dockerfile: string): Promise<Definition> {
  const read = async (directory: string, path: string): Promise<string | undefined> => {
    const file = await session.readFile(directory, [path]);
    return file && Buffer.from(file.bytes).toString('utf8');
  };
  const text = await read(DOCKERFILE, dockerfile);
  if (text === undefined)
    throw new EngineError(
      'NotFound',
      `failed to read dockerfile: open ${dockerfile}: no such file or directory`,
    );
  const ignore = await read(DOCKERFILE, `${dockerfile}.dockerignore`);
  const ignoreOfContext = ignore === undefined ? await read(CONTEXT, '.dockerignore') : undefined;
  return { text, ignore, ignoreOfContext };
}
