/** Inline text that an instruction brings along. */
export interface Heredoc {
  readonly name: string;
  /** False where a part of the name was quoted: variables in the text stay as they are. */
  readonly isExpanded: boolean;
  /** True for `<<-`: tabs at the beginning of lines are dropped. */
  readonly isChomped: boolean;
  readonly content: string;
}

/** One instruction of a Dockerfile as it was written. */
export interface DockerfileNode {
  /** The instruction's word as typed. */
  readonly word: string;
  /** The whole line, continuations joined, without heredocs. */
  readonly original: string;
  readonly flags: readonly string[];
  /** What follows word and flags. */
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  /** First line, from 1. */
  readonly line: number;
}

/** A Dockerfile taken apart into instructions. */
export interface ParsedDockerfile {
  readonly nodes: readonly DockerfileNode[];
  readonly escape: string;
  /** The frontend that a `# syntax=` directive asks for, or empty. */
  readonly syntax: string;
  readonly warnings: readonly string[];
}

/** A name with a value; `hasEquals` is false for the old form `ENV name value`. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly hasEquals: boolean;
}

/** A command as the instruction gives it. */
export interface CommandLine {
  /** One element for the shell form. */
  readonly words: readonly string[];
  /** False for the exec form, which is a JSON list. */
  readonly isShellForm: boolean;
  readonly heredocs: readonly Heredoc[];
}

/** A file whose content is in the Dockerfile itself. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  readonly isExpanded: boolean;
}

/** What COPY and ADD share. */
export interface CopyArguments {
  readonly sources: readonly string[];
  readonly inlineFiles: readonly InlineFile[];
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly isLinked: boolean;
  readonly excludes: readonly string[];
}

/** How a container of the image is checked; durations in nanoseconds. */
export interface HealthcheckArguments {
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** What an instruction says; words in it are not expanded yet. */
export type InstructionBody =
  | { readonly kind: 'ENV'; readonly pairs: readonly KeyValue[] }
  | { readonly kind: 'LABEL'; readonly pairs: readonly KeyValue[]; readonly isLiteral: boolean }
  | { readonly kind: 'ARG'; readonly args: readonly BuildArgument[] }
  | { readonly kind: 'MAINTAINER'; readonly name: string }
  | ({
      readonly kind: 'ADD';
      readonly checksum: string;
      readonly unpack: boolean | undefined;
    } & CopyArguments)
  | ({ readonly kind: 'COPY'; readonly from: string; readonly keepsParents: boolean } & CopyArguments)
  | ({
      readonly kind: 'RUN';
      readonly mounts: readonly string[];
      readonly network: string;
      readonly security: string;
    } & CommandLine)
  | ({ readonly kind: 'CMD' } & CommandLine)
  | ({ readonly kind: 'ENTRYPOINT' } & CommandLine)
  | { readonly kind: 'SHELL'; readonly shell: readonly string[] }
  | { readonly kind: 'HEALTHCHECK'; readonly check: HealthcheckArguments }
  | { readonly kind: 'EXPOSE'; readonly ports: readonly string[] }
  | { readonly kind: 'USER'; readonly user: string }
  | { readonly kind: 'WORKDIR'; readonly path: string }
  | { readonly kind: 'VOLUME'; readonly paths: readonly string[] }
  | { readonly kind: 'STOPSIGNAL'; readonly signal: string }
  | { readonly kind: 'ONBUILD'; readonly trigger: string };

/** A build argument, with its default if it has one. */
export interface BuildArgument {
  readonly name: string;
  readonly value: string | undefined;
}

/** An instruction with where it stands and how it is shown. */
export type Instruction = InstructionBody & { readonly source: string; readonly line: number };

/** FROM and what follows it. */
export interface Stage {
  /** Lower case; empty where it has none. */
  readonly name: string;
  /** As written: variables in it are not expanded yet. */
  readonly base: string;
  readonly platform: string;
  readonly source: string;
  readonly line: number;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile as stages, with the arguments that stand before the first one. */
export interface Dockerfile {
  readonly metaArgs: readonly (Instruction & { readonly kind: 'ARG' })[];
  readonly stages: readonly Stage[];
  readonly escape: string;
  readonly syntax: string;
  readonly warnings: readonly string[];
}
