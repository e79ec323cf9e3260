const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a container's environment is made from. */
export interface EnvInput {
  readonly hostname: string;
  readonly tty: boolean;
  /** What its links tell it; overridden by its own. */
  readonly linkEnv: readonly string[];
  /** `Config.Env` after the merge with the image's. */
  readonly env: readonly string[];
}

/** The environment of a container's first process; the runtime adds HOME of whoever the user is in the container. */
export function buildEnv({ hostname, tty, linkEnv, env }: EnvInput): readonly string[] {
  const defaults = [DEFAULT_PATH, `HOSTNAME=${hostname}`, ...(tty ? ['TERM=xterm'] : []), ...linkEnv];
  return replaceEnv(defaults, env);
}

/** Overrides by name, in the place of what they replace; an entry without `=` takes the name out. */
export function replaceEnv(base: readonly string[], overrides: readonly string[]): readonly string[] {
  const variables = new Map(base.map((entry) => [nameOf(entry), entry]));
  for (const entry of overrides) {
    if (entry.includes('=')) {
      variables.set(nameOf(entry), entry);
    } else {
      variables.delete(entry);
    }
  }
  return [...variables.values()];
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? entry;
}
