import { describe, expect, test } from 'vitest';
import { parseStages, parseTrigger } from './parse-stages.ts';
import type { Instruction } from './types.ts';

function instructions(text: string): readonly Instruction[] {
  return parseStages(`FROM x\n${text}`).stages[0]?.instructions ?? [];
}

describe('a Dockerfile', () => {
  test('has stages, each with its name, base and platform, and arguments before the first', () => {
    const file = parseStages(
      '# syntax=docker/dockerfile:1\nARG V=1\nFROM --platform=linux/amd64 a:$V AS Build\nRUN x\nFROM scratch\nCOPY --from=build /a /b\n',
    );
    expect(file.syntax).toBe('docker/dockerfile:1');
    expect(file.metaArgs[0]?.args).toEqual([{ name: 'V', value: '1' }]);
    expect(file.stages.map(({ name, base, platform, line }) => ({ name, base, platform, line }))).toEqual([
      { name: 'build', base: 'a:$V', platform: 'linux/amd64', line: 3 },
      { name: '', base: 'scratch', platform: '', line: 5 },
    ]);
    expect(file.stages[1]?.instructions[0]).toMatchObject({ kind: 'COPY', from: 'build', destination: '/b' });
  });

  test('joins continued lines, drops comments between them and warns of empty ones', () => {
    const file = parseStages('FROM x\nRUN a \\\n# no\n  && b \\ \n\n && c\nRUN d\n');
    expect(file.stages[0]?.instructions).toMatchObject([
      { words: ['a   && b  && c'], line: 2 },
      { words: ['d'], line: 7 },
    ]);
    expect(file.warnings).toHaveLength(1);
  });

  test('takes another escape by directive, only at the top', () => {
    expect(parseStages('# escape=`\nFROM x\nRUN a `\n b\\\n').stages[0]?.instructions).toMatchObject([
      { words: ['a  b\\'] },
    ]);
    expect(() => parseStages('# escape=x\nFROM a')).toThrow("invalid escape token 'x'");
    expect(parseStages('# a comment\n# escape=`\nFROM x').escape).toBe('\\');
  });

  test('reads a file with a mark of byte order and Windows lines', () => {
    expect(parseStages('\uFEFFFROM x\r\nRUN a\r\n').stages[0]?.instructions).toMatchObject([
      { words: ['a'] },
    ]);
  });

  test.each([
    ['RUN echo hi', { kind: 'RUN', words: ['echo hi'], isShellForm: true }],
    ['RUN ["a", "b c"]', { kind: 'RUN', words: ['a', 'b c'], isShellForm: false }],
    ["RUN ['a']", { kind: 'RUN', words: ["['a']"], isShellForm: true }],
    [
      'run --network=none --mount=type=cache,target=/c --mount=type=tmpfs,target=/t x',
      {
        kind: 'RUN',
        words: ['x'],
        network: 'none',
        mounts: ['type=cache,target=/c', 'type=tmpfs,target=/t'],
      },
    ],
    [
      'ENV a=b c="d e" f=\\ g',
      {
        kind: 'ENV',
        pairs: [
          { key: 'a', value: 'b', hasEquals: true },
          { key: 'c', value: '"d e"', hasEquals: true },
          { key: 'f', value: '\\ g', hasEquals: true },
        ],
      },
    ],
    ['ENV a b  c', { kind: 'ENV', pairs: [{ key: 'a', value: 'b  c', hasEquals: false }] }],
    ['LABEL "x.y"="a=b"', { kind: 'LABEL', pairs: [{ key: '"x.y"', value: '"a=b"' }] }],
    [
      'ARG a b=c',
      {
        kind: 'ARG',
        args: [
          { name: 'a', value: undefined },
          { name: 'b', value: 'c' },
        ],
      },
    ],
    [
      'COPY --chown=1:2 --chmod=755 --link --exclude=*.md --exclude=x a b /c/',
      {
        kind: 'COPY',
        sources: ['a', 'b'],
        destination: '/c/',
        chown: '1:2',
        chmod: '755',
        isLinked: true,
        excludes: ['*.md', 'x'],
      },
    ],
    ['COPY ["a b", "/c"]', { kind: 'COPY', sources: ['a b'], destination: '/c' }],
    ['ADD --checksum=sha256:1 a b', { kind: 'ADD', checksum: 'sha256:1' }],
    ['EXPOSE 90 80/udp', { kind: 'EXPOSE', ports: ['80/udp', '90'] }],
    ['VOLUME /a /b', { kind: 'VOLUME', paths: ['/a', '/b'] }],
    ['VOLUME ["/a b"]', { kind: 'VOLUME', paths: ['/a b'] }],
    [
      'HEALTHCHECK --interval=5s --retries=3 CMD curl x',
      { kind: 'HEALTHCHECK', check: { test: ['CMD-SHELL', 'curl x'], interval: 5e9, retries: 3 } },
    ],
    ['HEALTHCHECK CMD ["a"]', { kind: 'HEALTHCHECK', check: { test: ['CMD', 'a'] } }],
    ['HEALTHCHECK NONE', { kind: 'HEALTHCHECK', check: { test: ['NONE'] } }],
    ['ONBUILD RUN a  b', { kind: 'ONBUILD', trigger: 'RUN a  b' }],
    ['SHELL ["/bin/bash", "-c"]', { kind: 'SHELL', shell: ['/bin/bash', '-c'] }],
    ['STOPSIGNAL SIGKILL', { kind: 'STOPSIGNAL', signal: 'SIGKILL' }],
    ['MAINTAINER Some One <x@y>', { kind: 'MAINTAINER', name: 'Some One <x@y>' }],
    ['USER a:b', { kind: 'USER', user: 'a:b' }],
    ['WORKDIR a b', { kind: 'WORKDIR', path: 'a b' }],
    ['CMD', { kind: 'CMD', words: [] }],
  ])('%s', (text, expected) => {
    expect(instructions(text)).toMatchObject([{ ...expected, source: text, line: 2 }]);
  });

  test('brings text along in heredocs', () => {
    const [run, copy, quoted] = instructions(
      "RUN <<EOF\nset -e\necho $x\nEOF\nCOPY <<-A <<'B' /d/\n\ta\nA\nb\nB\nRUN cat <<E1 && cat <<-E2\n1\nE1\n\t2\n\tE2\n",
    );
    expect(run).toMatchObject({ kind: 'RUN', heredocs: [{ name: 'EOF', content: 'set -e\necho $x\n' }] });
    expect(copy).toMatchObject({
      kind: 'COPY',
      sources: [],
      inlineFiles: [
        { name: 'A', content: 'a\n', isExpanded: true },
        { name: 'B', content: 'b\n', isExpanded: false },
      ],
    });
    expect(quoted).toMatchObject({
      heredocs: [
        { name: 'E1', content: '1\n' },
        { name: 'E2', content: '\t2\n' },
      ],
    });
  });

  test('keeps a trigger with its heredoc', () => {
    const [onbuild] = instructions('ONBUILD RUN <<EOF\necho a\nEOF\n');
    const trigger = onbuild?.kind === 'ONBUILD' ? onbuild.trigger : '';
    expect(parseTrigger(trigger)).toMatchObject({ kind: 'RUN', heredocs: [{ content: 'echo a\n' }] });
  });

  test.each(['', '# only a comment\n'])('%j has no instruction, and no line of it is to blame', (text) => {
    expect(() => parseStages(text)).toThrow(/^file with no instructions$/);
  });

  test.each([
    ['FROM x\n\nFOO bar', 3, 'unknown instruction: FOO'],
    ['RUN x', 1, 'no build stage in current context'],
    ['FROM a b', 1, 'FROM requires either one or three arguments'],
    ['FROM a AS 1x', 1, 'invalid name for build stage: "1x"'],
    ['FROM x\nCOPY a', 2, 'COPY requires at least two arguments, but only one was provided'],
    ['FROM x\nCOPY --nope a b', 2, 'unknown flag: --nope'],
    ['FROM x\nCOPY --chown=1 --chown=2 a b', 2, 'duplicate flag specified: --chown'],
    ['FROM x\nCOPY --from a b', 2, 'missing a value on flag: --from'],
    ['FROM x\nCOPY --link=perhaps a b', 2, 'expecting boolean value for flag --link, not: perhaps'],
    ['FROM x\nENV', 2, 'ENV requires at least one argument'],
    ['FROM x\nENV a', 2, 'ENV must have two arguments'],
    ['FROM x\nENV a=b c', 2, `can't find = in "c"`],
    ['FROM x\nENV =b', 2, 'ENV names can not be blank'],
    ['FROM x\nCMD ["a", 1]', 2, 'arrays must be comprised of strings only'],
    ['FROM x\nSHELL a b', 2, 'SHELL requires the arguments to be in JSON form'],
    ['FROM x\nSHELL []', 2, 'SHELL requires at least one argument'],
    ['FROM x\nHEALTHCHECK FOO', 2, 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
    ['FROM x\nHEALTHCHECK CMD', 2, 'Missing command after HEALTHCHECK CMD'],
    ['FROM x\nHEALTHCHECK --interval=1us CMD a', 2, 'cannot be less than 1ms'],
    ['FROM x\nHEALTHCHECK --interval=1 CMD a', 2, 'missing unit in duration'],
    ['FROM x\nHEALTHCHECK --retries=-1 CMD a', 2, '--retries cannot be negative (-1)'],
    ['FROM x\nHEALTHCHECK NONE a', 2, 'HEALTHCHECK NONE takes no arguments'],
    ['FROM x\nONBUILD ONBUILD RUN a', 2, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['FROM x\nONBUILD FROM a', 2, "FROM isn't allowed as an ONBUILD trigger"],
    ['FROM x\nVOLUME [""]', 2, 'VOLUME specified can not be an empty string'],
    ['FROM x\nUSER', 2, 'USER requires exactly one argument'],
    ['FROM x\nRUN <<EOF\na\n', 2, 'unterminated heredoc'],
    [`FROM x\nRUN ${'a'.repeat(70_000)}`, 1, 'dockerfile line greater than max allowed size'],
  ])('%j is refused', (text, line, message) => {
    expect(() => parseStages(text)).toThrow(`dockerfile parse error on line ${line}: `);
    expect(() => parseStages(text)).toThrow(message);
  });
});
