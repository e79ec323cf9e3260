import { expandWord, expandWords, type Variables } from '../../dockerfile/expand-word.ts';
import type { BuildArgument, CopyArguments, Instruction } from '../../dockerfile/types.ts';

type Expand = (text: string) => string;

/** The instruction with the variables in its words replaced, where it is one that has them replaced. */
export function expandInstruction(
  instruction: Instruction,
  variables: Variables,
  options: { readonly escape: string },
): Instruction {
  const word = (text: string): string => expandWord(text, variables, options);
  const content = (text: string): string => expandWord(text, variables, { escape: '\\', keepsQuotes: true });
  switch (instruction.kind) {
    case 'ENV':
    case 'LABEL':
      return expandPairs(instruction, word);
    case 'ARG':
      return { ...instruction, args: instruction.args.map((arg) => expandArg(arg, word)) };
    case 'ADD':
      return {
        ...instruction,
        ...expandCopy(instruction, { word, content }),
        checksum: word(instruction.checksum),
      };
    case 'COPY':
      return { ...instruction, ...expandCopy(instruction, { word, content }) };
    case 'RUN':
      return {
        ...instruction,
        mounts: instruction.mounts.map(word),
        network: word(instruction.network),
      };
    case 'EXPOSE':
      return {
        ...instruction,
        ports: instruction.ports.flatMap((port) => expandWords(port, variables, options)),
      };
    case 'USER':
      return { ...instruction, user: word(instruction.user) };
    case 'WORKDIR':
      return { ...instruction, path: word(instruction.path) };
    case 'VOLUME':
      return { ...instruction, paths: instruction.paths.map(word) };
    case 'STOPSIGNAL':
      return { ...instruction, signal: word(instruction.signal) };
    default:
      return instruction;
  }
}

function expandPairs(
  instruction: Instruction & { readonly kind: 'ENV' | 'LABEL' },
  word: Expand,
): Instruction {
  // What the client asked for besides the Dockerfile is taken as it is.
  if (instruction.kind === 'LABEL' && instruction.isLiteral) return instruction;
  const pairs = instruction.pairs.map((pair) => ({
    ...pair,
    key: word(pair.key),
    value: word(pair.value),
  }));
  return { ...instruction, pairs };
}

function expandArg({ name, value }: BuildArgument, word: Expand): BuildArgument {
  return { name: word(name), value: value === undefined ? undefined : word(value) };
}

function expandCopy(
  copy: CopyArguments,
  { word, content }: { readonly word: Expand; readonly content: Expand },
): CopyArguments {
  return {
    ...copy,
    sources: copy.sources.map(word),
    inlineFiles: copy.inlineFiles.map((file) =>
      file.isExpanded ? { ...file, content: content(file.content) } : file,
    ),
    destination: word(copy.destination),
    chown: word(copy.chown),
    chmod: word(copy.chmod),
    excludes: copy.excludes.map(word),
  };
}
