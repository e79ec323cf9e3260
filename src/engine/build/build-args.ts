import type { Variables } from '../../dockerfile/expand-word.ts';
import { variablesOf } from '../../dockerfile/expand-word.ts';

/** What a client sent: a value, or null for a name alone. */
export type AskedArgs = Readonly<Record<string, string | null>>;

// These need no ARG, and are not kept in the image's history.
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** The arguments of a build, and those of them that stand before its first stage. */
export class BuildArgs {
  readonly #asked: ReadonlyMap<string, string | null>;
  readonly #meta = new Map<string, string | undefined>();
  readonly #used = new Set<string>();

  /** `predefined` are there without ARG for FROM, and with it in a stage. */
  constructor(asked: AskedArgs, predefined: Variables) {
    this.#asked = new Map(Object.entries(asked));
    for (const [name, value] of predefined) this.#meta.set(name, value);
  }

  /** An ARG before the first stage. */
  declareMeta(name: string, value: string | undefined): void {
    this.#meta.set(name, value);
    this.#used.add(name);
  }

  /** What FROM may use. */
  metaVariables(): Variables {
    return this.valuesOf(this.#meta);
  }

  openStage(): StageArgs {
    return new StageArgs(this);
  }

  /** Names that were asked for and that no ARG has declared. */
  unused(): readonly string[] {
    return [...this.#asked.keys()].filter((name) => !this.#used.has(name) && !PROXIES.includes(name)).sort();
  }

  markUsed(name: string): void {
    this.#used.add(name);
  }

  valuesOf(declared: ReadonlyMap<string, string | undefined>): Map<string, string> {
    const values = new Map<string, string>();
    for (const name of new Set([...declared.keys(), ...PROXIES])) {
      const asked = this.#asked.get(name) ?? undefined;
      const value = asked ?? declared.get(name) ?? (declared.has(name) ? this.#meta.get(name) : undefined);
      if (value !== undefined) values.set(name, value);
    }
    return values;
  }
}

/** The arguments that a stage has declared so far. */
export class StageArgs {
  readonly #build: BuildArgs;
  readonly #declared = new Map<string, string | undefined>();

  constructor(build: BuildArgs) {
    this.#build = build;
  }

  declare(name: string, value: string | undefined): void {
    this.#declared.set(name, value);
    this.#build.markUsed(name);
  }

  /** `NAME=value` of those that the environment does not hide. */
  visible(env: readonly string[]): readonly string[] {
    const hidden = variablesOf(env);
    return [...this.#build.valuesOf(this.#declared)]
      .filter(([name]) => !hidden.has(name))
      .map(([name, value]) => `${name}=${value}`);
  }

  /** What words of an instruction may use: the environment first. */
  variables(env: readonly string[]): Variables {
    return variablesOf([...this.visible(env), ...env]);
  }

  /** The command as history and cache know it: with the arguments in front that it could see. */
  describe(env: readonly string[], argv: readonly string[]): readonly string[] {
    const visible = this.visible(env);
    if (visible.length === 0) return argv;
    const shown = visible.filter((entry) => {
      const name = entry.slice(0, entry.indexOf('='));
      return this.#declared.has(name) || !PROXIES.includes(name);
    });
    return [`|${shown.length}`, ...[...shown].sort(), ...argv];
  }
}
