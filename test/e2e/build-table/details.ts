import { config, copy, failing, file, FROM, TREE, type BuildCase } from './rows.ts';

// What is easily read otherwise than dockerd reads it.

/** Rows about details of the syntax. */
export const DETAIL_CASES: readonly BuildCase[] = [
  config('modifiers that nest', 'ENV A=a\nENV B=${A:+${N:-n}} C=${N:-${A}} D=x${A}y E=${A}${A}'),
  config('a dollar that is none', 'ENV A=$ B=$$ C=a$ D="$" E=\\$X'),
  config('quotes within words', `ENV A=a"b c"d B='x y'"z" C="it's" D='say "hi"'`),
  config('blanks around', '   ENV   A=1    B=2   \n\tLABEL\ta=b'),
  config('label with line breaks', 'LABEL a="one \\\n  two" b=c'),
  config('env with an equals sign', 'ENV A=b=c=d URL=http://x/?a=b&c=d'),
  config('env empty', 'ENV A= B=""'),
  config('args that use others', 'ARG A=1\nARG B=${A}2\nARG C=${B:-x}\nENV D=$C', ['--build-arg', 'A=9']),
  config('arg between stages', 'ENV A=$HTTP_PROXY B=$FOO', ['--build-arg', 'FOO=1']),
  config('predefined args are not kept', 'RUN echo $HTTP_PROXY > /p', [
    '--build-arg',
    'HTTP_PROXY=http://p:1',
  ]),
  config('arg declared is kept', 'ARG HTTP_PROXY\nRUN echo $HTTP_PROXY > /p', [
    '--build-arg',
    'HTTP_PROXY=http://p:1',
  ]),
  config('arg empty by the command line', 'ARG A=1\nENV B=[$A]', ['--build-arg', 'A=']),
  {
    name: 'args are of their stage',
    dockerfile: 'ARG V=1\nFROM busybox AS a\nARG V=2\nENV A=$V\nFROM busybox\nENV B=[$V]\nARG V\nENV C=$V',
  },
  {
    name: 'arg in the platform',
    dockerfile: 'ARG I=busybox\nARG T=latest\nFROM $I:$T AS x\nFROM x\nENV A=1',
  },
  config('workdir and env chain', 'ENV A=/a\nWORKDIR $A\nWORKDIR b/../c/./d\nENV P=$PWD\nRUN pwd > /pwd'),
  config('workdir slashes', 'WORKDIR //x//y/\nWORKDIR .\nWORKDIR ./z/'),
  config('workdir that ends with a slash', 'WORKDIR //x//y/\nRUN pwd > /p\nCOPY Dockerfile .'),
  config('workdir of another user', 'USER builder\nWORKDIR /home/new\nRUN stat -c %u /home/new > /tmp/u'),
  config(
    'health check, all options',
    'HEALTHCHECK --interval=1h2m3s --timeout=1ms --start-period=2s --retries=1 CMD ["a", "b"]',
  ),
  config('health check, shell and variable', 'ENV X=1\nHEALTHCHECK CMD test $X = "1" || exit 1'),
  config('health check twice', 'HEALTHCHECK CMD a\nHEALTHCHECK --retries=2 CMD b'),
  config('cmd and entrypoint replaced', 'ENTRYPOINT ["a"]\nCMD ["b"]\nENTRYPOINT c\nCMD []'),
  config('cmd emptied', 'CMD []'),
  config('shell and entrypoint', 'SHELL ["/bin/sh", "-c", "-x"]\nENTRYPOINT a b'),
  config('expose twice', 'EXPOSE 80\nEXPOSE 80/tcp 81/UDP'),
  config('volumes twice', 'VOLUME /a\nVOLUME ["/a", "/b"]\nVOLUME /c/'),
  config('user by several', 'USER a\nUSER 1:2\nUSER :3'),
  config('stop signal by number', 'STOPSIGNAL 9'),
  config('onbuild of many', 'ONBUILD COPY . /x\nONBUILD USER $U\nONBUILD ENTRYPOINT ["a b"]'),
  config('comments between', '# one\nENV A=1\n#three\nRUN echo a # b > /x; \\\n# gone\n echo c > /y'),
  config('carriage returns', 'ENV A=1\r\nENV B=2\r\nRUN echo $B > /b\r\n'),
  { name: 'byte order mark', dockerfile: '\ufeffFROM busybox\nENV A=1' },
  failing(
    'an escape directive after a comment, which is none',
    '# hi\n# escape=`\nFROM busybox\nENV A=a\\\n b',
  ),
  { name: 'escape directive in capitals', dockerfile: '#ESCAPE=`\nFROM busybox\nENV A=C:\\x `\n B=2' },
  {
    name: 'triggers of triggers end',
    dockerfile: 'FROM busybox AS a\nONBUILD ENV X=1\nFROM a AS b\nENV Y=$X\nFROM b\nENV Z=[$X$Y]',
  },
  {
    name: 'triggers in their order, before what follows',
    dockerfile:
      'FROM busybox AS a\nONBUILD RUN echo 1 >> /f\nONBUILD WORKDIR /w\nONBUILD RUN pwd >> /f\nFROM a\nRUN echo 3 >> /f',
  },
  copy('ignore file, negations', 'COPY . /x/', [
    file('.dockerignore', '# comment\n  src/*  \n!src/a.txt\n\n/one.txt\n./two.txt\n'),
  ]),
  copy('ignore file, double stars', 'COPY . /x/', [
    file('a/b/c/n.log'),
    file('a/n.log'),
    file('n.log'),
    file('a/b/keep.log'),
    file('.dockerignore', '**/*.log\n!**/keep.log\n**/sub\n'),
  ]),
  copy('ignore file, all but one', 'COPY . /x/', [file('.dockerignore', '*\n!src/sub/c.txt\n')]),
  copy('ignore file, a directory by a slash', 'COPY . /x/', [file('.dockerignore', 'src/\n')]),
  copy('ignore file, itself and the Dockerfile', 'COPY . /x/', [
    file('.dockerignore', 'Dockerfile\n.dockerignore\n'),
  ]),
  copy('ignore file, classes and escapes', 'COPY . /x/', [
    file('.dockerignore', '[a-o]ne.txt\n\\#x\n'),
    file('#x'),
  ]),
  copy('ignore file, above the top', 'COPY . /x/', [file('.dockerignore', '../one.txt\n/../two.txt\n')]),
  copy('copy a directory with a slash', 'COPY src/ /d\nCOPY src/. /e'),
  copy('copy by wildcard, directories', 'COPY s* /d/'),
  copy('copy onto a directory that is there', 'RUN mkdir -m 711 /d && touch /d/a.txt\nCOPY src/a.txt /d'),
  copy('copy over modes that are there', 'RUN mkdir -m 711 /d /d/sub\nCOPY src /d/'),
  failing('a file above the top', `${FROM}COPY ../one.txt /x`, TREE),
  copy('add what is no archive', 'ADD one.txt two.txt /x/'),
  copy('copy names with blanks and stars', 'COPY ["a[b]c", "/x/"]', [file('abc'), file('d e')]),
];
