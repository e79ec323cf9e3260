import { EngineError } from '../errors.ts';
import { readFlags, type FlagKind, type Flags } from './flags.ts';
import { heredocText, readHeredoc } from './heredocs.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { parseJsonWords, splitBlanks, splitQuoted } from './split-words.ts';
import type {
  BuildArgument,
  CommandLine,
  CopyArguments,
  DockerfileNode,
  InlineFile,
  Instruction,
  InstructionBody,
  KeyValue,
} from './types.ts';

type Parser = (node: DockerfileNode, escape: string) => InstructionBody;

const COPY_FLAGS = { chown: 'string', chmod: 'string', link: 'bool', exclude: 'strings' } as const;
const NO_TRIGGERS = new Set(['MAINTAINER', 'FROM']);

const PARSERS: Readonly<Record<InstructionBody['kind'], Parser>> = {
  ENV: (node, escape) => ({ kind: 'ENV', pairs: parsePairs(node, escape) }),
  LABEL: (node, escape) => ({ kind: 'LABEL', pairs: parsePairs(node, escape), isLiteral: false }),
  ARG: (node, escape) => ({ kind: 'ARG', args: parseArgs(node, escape) }),
  MAINTAINER: (node) => ({ kind: 'MAINTAINER', name: oneArgument(node) }),
  ADD: parseAdd,
  COPY: parseCopy,
  RUN: parseRun,
  CMD: (node) => ({ kind: 'CMD', ...parseCommand(withoutFlags(node)) }),
  ENTRYPOINT: (node) => ({ kind: 'ENTRYPOINT', ...parseCommand(withoutFlags(node)) }),
  SHELL: parseShell,
  HEALTHCHECK: (node) => ({ kind: 'HEALTHCHECK', check: parseHealthcheck(node) }),
  EXPOSE: (node) => ({ kind: 'EXPOSE', ports: [...someArguments(node, splitBlanks(node.rest))].sort() }),
  USER: (node) => ({ kind: 'USER', user: oneArgument(node) }),
  WORKDIR: (node) => ({ kind: 'WORKDIR', path: oneArgument(node) }),
  VOLUME: parseVolume,
  STOPSIGNAL: (node) => ({ kind: 'STOPSIGNAL', signal: oneArgument(node) }),
  ONBUILD: parseOnbuild,
};

/** What an instruction says; InvalidArgument in the parser's words. FROM is none of these. */
export function parseInstruction(node: DockerfileNode, escape: string): Instruction {
  const word = node.word.toUpperCase();
  if (!isKnown(word)) throw new EngineError('InvalidArgument', `unknown instruction: ${node.word}`);
  return { ...PARSERS[word](node, escape), source: node.original.trim(), line: node.line };
}

function isKnown(word: string): word is InstructionBody['kind'] {
  return Object.hasOwn(PARSERS, word);
}

function flagsOf(node: DockerfileNode, known: Readonly<Record<string, FlagKind>>): Flags {
  return readFlags(node.flags, known);
}

function withoutFlags(node: DockerfileNode): DockerfileNode {
  flagsOf(node, {});
  return node;
}

function oneArgument(node: DockerfileNode): string {
  if (node.rest === '')
    throw new EngineError('InvalidArgument', `${node.word.toUpperCase()} requires exactly one argument`);
  flagsOf(node, {});
  return node.rest;
}

function someArguments(node: DockerfileNode, words: readonly string[]): readonly string[] {
  if (words.length === 0)
    throw new EngineError('InvalidArgument', `${node.word.toUpperCase()} requires at least one argument`);
  flagsOf(node, {});
  return words;
}

function parsePairs(node: DockerfileNode, escape: string): readonly KeyValue[] {
  const name = node.word.toUpperCase();
  const words = someArguments(node, splitQuoted(node.rest, escape));
  const pairs = (words[0] ?? '').includes('=') ? words.map(parsePair) : [parseOldPair(node.rest, name)];
  if (pairs.some(({ key }) => key === ''))
    throw new EngineError('InvalidArgument', `${name} names can not be blank`);
  return pairs;
}

function parsePair(word: string): KeyValue {
  const at = word.indexOf('=');
  if (at < 0)
    throw new EngineError(
      'InvalidArgument',
      `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
    );
  return { key: word.slice(0, at), value: word.slice(at + 1), hasEquals: true };
}

function parseOldPair(rest: string, name: string): KeyValue {
  const match = /^([^\t\v\f\r ]*)[\t\v\f\r ]+([\s\S]*)$/.exec(rest);
  if (!match) throw new EngineError('InvalidArgument', `${name} must have two arguments`);
  const [, key = '', value = ''] = match;
  return { key, value, hasEquals: false };
}

function parseArgs(node: DockerfileNode, escape: string): readonly BuildArgument[] {
  const words = splitQuoted(node.rest, escape);
  if (words.length === 0) throw new EngineError('InvalidArgument', 'ARG requires at least one argument');
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at === 0) throw new EngineError('InvalidArgument', 'ARG names can not be blank');
    return at < 0 ? { name: word, value: undefined } : { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}

function copyWords(node: DockerfileNode): readonly string[] {
  const words = parseJsonWords(node.rest) ?? splitBlanks(node.rest);
  if (words.length >= 2) return words;
  throw new EngineError(
    'InvalidArgument',
    `${node.word.toUpperCase()} requires at least two arguments, but only one was provided. Destination could not be determined`,
  );
}

function parseAdd(node: DockerfileNode): InstructionBody {
  const words = copyWords(node);
  const flags = flagsOf(node, {
    ...COPY_FLAGS,
    'keep-git-dir': 'bool',
    checksum: 'string',
    unpack: 'bool',
  });
  const shared = copyArguments(node, words, flags);
  return { kind: 'ADD', ...shared, checksum: flags.string('checksum'), unpack: flags.bool('unpack') };
}

function parseCopy(node: DockerfileNode): InstructionBody {
  const words = copyWords(node);
  const flags = flagsOf(node, { ...COPY_FLAGS, from: 'string', parents: 'bool' });
  const shared = copyArguments(node, words, flags);
  return {
    kind: 'COPY',
    ...shared,
    from: flags.string('from'),
    keepsParents: flags.bool('parents') ?? false,
  };
}

function copyArguments(node: DockerfileNode, words: readonly string[], flags: Flags): CopyArguments {
  const destination = words.at(-1) ?? '';
  const isPlain = parseJsonWords(node.rest) === undefined;
  const heredocOf = (word: string): ReturnType<typeof readHeredoc> =>
    isPlain ? readHeredoc(word) : undefined;
  if (heredocOf(destination))
    throw new EngineError(
      'InvalidArgument',
      `${node.word.toUpperCase()} cannot accept a heredoc as a destination`,
    );
  const sources: string[] = [];
  const inlineFiles: InlineFile[] = [];
  for (const word of words.slice(0, -1)) {
    const named = heredocOf(word);
    const heredoc = named && node.heredocs.find(({ name }) => name === named.name);
    if (heredoc)
      inlineFiles.push({
        name: heredoc.name,
        content: heredocText(heredoc),
        isExpanded: heredoc.isExpanded,
      });
    else sources.push(word);
  }
  return {
    sources,
    inlineFiles,
    destination,
    chown: flags.string('chown'),
    chmod: flags.string('chmod'),
    isLinked: flags.bool('link') ?? false,
    excludes: flags.strings('exclude'),
  };
}

function parseCommand(node: DockerfileNode): CommandLine {
  const json = parseJsonWords(node.rest);
  return {
    words: json ?? (node.rest === '' ? [] : [node.rest]),
    isShellForm: json === undefined,
    heredocs: node.heredocs,
  };
}

function parseRun(node: DockerfileNode): InstructionBody {
  const flags = flagsOf(node, { mount: 'strings', network: 'string', security: 'string' });
  return {
    kind: 'RUN',
    ...parseCommand(node),
    mounts: flags.strings('mount'),
    network: flags.string('network'),
    security: flags.string('security'),
  };
}

function parseShell(node: DockerfileNode): InstructionBody {
  flagsOf(node, {});
  const json = parseJsonWords(node.rest);
  if (json && json.length > 0) return { kind: 'SHELL', shell: json };
  if (json || node.rest === '')
    throw new EngineError('InvalidArgument', 'SHELL requires at least one argument');
  throw new EngineError(
    'InvalidArgument',
    `SHELL requires the arguments to be in JSON form (${JSON.stringify(node.original)})`,
  );
}

function parseVolume(node: DockerfileNode): InstructionBody {
  const words = someArguments(node, parseJsonWords(node.rest) ?? splitBlanks(node.rest));
  const paths = words.map((word) => word.trim());
  if (paths.includes(''))
    throw new EngineError('InvalidArgument', 'VOLUME specified can not be an empty string');
  return { kind: 'VOLUME', paths };
}

function parseOnbuild(node: DockerfileNode): InstructionBody {
  if (node.rest === '') throw new EngineError('InvalidArgument', 'ONBUILD requires at least one argument');
  flagsOf(node, {});
  const word = (/^\S+/.exec(node.rest)?.[0] ?? '').toUpperCase();
  if (word === 'ONBUILD')
    throw new EngineError('InvalidArgument', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (NO_TRIGGERS.has(word))
    throw new EngineError('InvalidArgument', `${word} isn't allowed as an ONBUILD trigger`);
  const original = node.original.replace(/^\s*ONBUILD\s*/i, '');
  const heredocs = node.heredocs.map(({ content, name }) => `\n${content}${name}`);
  return { kind: 'ONBUILD', trigger: original + heredocs.join('') };
}
