import { DETAIL_CASES } from './details.ts';
import { config, copy, failing, file, FROM, TREE, type BuildCase } from './rows.ts';

const CONFIG_CASES: readonly BuildCase[] = [
  config('base alone', ''),
  config('env', 'ENV A=1 B="two words" C=three\\ words'),
  config('env, old form', 'ENV A one  two'),
  config('env replaced', 'ENV A=1\nENV A=2 B=$A'),
  config('env with modifiers', "ENV A=x\nENV B=${A:-y} C=${N:-z} D=${A:+w} E=${N:+w} F=\\$A G='$A'"),
  config('label', 'LABEL a=b "c d"="e f" g=h\\ i'),
  config('label replaced', 'LABEL a=1\nLABEL a=2'),
  config('label option', 'LABEL a=1', ['--label', 'a=3', '--label', 'z=$x']),
  config('maintainer', 'MAINTAINER Some One <some@one>'),
  config('expose', 'EXPOSE 80 443/tcp 53/udp'),
  config('expose a range', 'EXPOSE 8000-8002'),
  config('expose by variable', 'ENV P="80 81"\nEXPOSE $P'),
  config('cmd, shell form', 'CMD echo $HOME'),
  config('cmd, exec form', 'CMD ["echo", "a b", "c\\"d"]'),
  config('entrypoint, shell form', 'ENTRYPOINT exec top -b'),
  config('entrypoint, exec form', 'ENTRYPOINT ["top", "-b"]'),
  config('cmd before entrypoint', 'CMD ["a"]\nENTRYPOINT ["b"]'),
  config('entrypoint takes the command away', 'ENTRYPOINT ["b"]'),
  config('cmd without brackets', "CMD ['a']"),
  config('user', 'USER builder:wheel'),
  config('user by variable', 'ENV U=1000\nUSER $U'),
  config('volume', 'VOLUME /data /more'),
  config('volume as a list', 'VOLUME ["/a b", "/c"]'),
  config('stop signal', 'STOPSIGNAL SIGUSR1'),
  config('health check', 'HEALTHCHECK --interval=5s --timeout=1m30s --retries=4 CMD test -e /x'),
  config('health check, exec form', 'HEALTHCHECK --start-period=500ms CMD ["true"]'),
  config('health check none', 'HEALTHCHECK CMD true\nHEALTHCHECK NONE'),
  config('shell', 'SHELL ["/bin/sh", "-ec"]\nCMD echo x'),
  config('onbuild kept', 'ONBUILD RUN echo "a b"\nONBUILD ENV X=1'),
  config('workdir', 'WORKDIR /a/b\nWORKDIR c\nWORKDIR ../d'),
  config('workdir by variable', 'ENV D=/x/y\nWORKDIR $D/z'),
  config('workdir that is there', 'WORKDIR /tmp'),
  config('arg', 'ARG A\nARG B=2\nENV C=$A$B', ['--build-arg', 'A=1']),
  config('arg overridden', 'ARG B=2\nENV C=$B', ['--build-arg', 'B=3']),
  config('arg hidden by env', 'ARG A=1\nENV A=2\nENV B=$A'),
  config('arg not declared', 'ENV B=[$A]', ['--build-arg', 'A=1']),
  config('several names in one arg', 'ARG A=1 B=2\nENV C=$A$B'),
  config('continued lines', 'ENV A=1 \\\n  # a comment\n  B=2 \\\n\n  C=3'),
  config('lower case', 'env A=1\nworkdir /x\nCmd ["a"]'),
  { name: 'escape directive', dockerfile: '# escape=`\nFROM busybox\nENV A=x`\n  B=y\nENV C=a\\b' },
  { name: 'arg before from', dockerfile: 'ARG TAG=latest\nFROM busybox:${TAG}\nARG TAG\nENV T=$TAG' },
  { name: 'stage by name and number', dockerfile: 'FROM busybox AS one\nENV A=1\nFROM one\nENV B=2' },
  {
    name: 'target',
    dockerfile: 'FROM busybox AS one\nENV A=1\nFROM busybox AS two\nENV B=2',
    args: ['--target', 'one'],
  },
];

const RUN_CASES: readonly BuildCase[] = [
  config('run', 'RUN echo hi > /hi && mkdir -m 700 /d && ln -s hi /l'),
  config('run that changes nothing', 'RUN true'),
  config('run, exec form', 'RUN ["/bin/sh", "-c", "echo $0 > /x", "a b"]'),
  config('run removes', 'RUN rm -r /var/log /home'),
  config('run replaces', 'RUN rm -r /var/log && echo x > /var/log'),
  config(
    'run changes owner and mode',
    'RUN chown 5:6 /etc/passwd && chmod 4755 /bin/busybox && touch /n && chown builder /n',
  ),
  config('run makes links and fifos', 'RUN echo x > /a && ln /a /b && mkfifo /f'),
  config('run as user', 'USER builder\nWORKDIR /tmp\nRUN id -u > who; pwd >> who'),
  config('run with env and args', 'ARG A=1\nENV B=2\nRUN echo $A $B > /x'),
  config('run with an argument given', 'ARG A\nRUN echo $A > /x', ['--build-arg', 'A=given']),
  config('run with shell', 'SHELL ["/bin/sh", "-xc"]\nRUN echo y > /x'),
  config('run in a volume', 'VOLUME /data\nRUN echo lost > /data/x'),
  config('run without network', 'RUN ls /sys/class/net > /nets', ['--network', 'none']),
  config('run with hosts', 'RUN grep -c mirror.example /etc/hosts > /n', [
    '--add-host',
    'mirror.example:10.1.2.3',
  ]),
  config('run does not keep what it is given', 'RUN touch /etc/hosts /etc/resolv.conf && rm -f /tmp/x'),
  {
    name: 'onbuild carried out',
    dockerfile: 'FROM busybox AS base\nONBUILD ENV X=1\nONBUILD RUN echo $X > /x\nFROM base\nRUN cat /x > /y',
  },
];

const COPY_CASES: readonly BuildCase[] = [
  copy('copy a file', 'COPY one.txt /'),
  copy('copy to another name', 'COPY one.txt /uno'),
  copy('copy into a new directory', 'COPY one.txt /x/y/'),
  copy('copy several', 'COPY one.txt two.txt /x/'),
  copy('copy by wildcard', 'COPY *.txt /x/'),
  copy('copy by question mark and class', 'COPY ???.txt /x/\nCOPY [t-z]*.txt /y/'),
  copy('copy a directory', 'COPY src /dst'),
  copy('copy a directory into one that is there', 'COPY src /tmp'),
  copy('copy all', 'COPY . /all/'),
  copy('copy to the working directory', 'WORKDIR /w\nCOPY one.txt .\nCOPY two.txt ./sub/'),
  copy('copy with owner by name', 'COPY --chown=builder:wheel src /dst/deep/er'),
  copy('copy with owner by number', 'COPY --chown=7 one.txt /x/one'),
  copy('copy with the user as group', 'COPY --chown=builder one.txt /x/'),
  copy('copy as a list', 'COPY ["one.txt", "a b.txt", "/x y/"]', [file('a b.txt')]),
  copy('copy through a link to a directory', 'RUN ln -s /tmp /t\nCOPY one.txt /t/'),
  copy('copy onto a link', 'RUN ln -s /tmp/real /l\nCOPY one.txt /l'),
  copy('copy a link', 'COPY src/link /x'),
  copy('copy over a file', 'COPY one.txt /etc/group'),
  copy('copy a mode with set-id bits', 'COPY s /s', [file('s', 's', 0o4755)]),
  copy('copy by variable', 'ENV D=/v\nARG F=one\nCOPY ${F}.txt $D/'),
  copy('copy what the ignore file leaves', 'COPY . /x/', [
    file('.dockerignore', '*.txt\n!two.txt\nsrc/sub\n**/*.md\n'),
  ]),
  copy('add a file', 'ADD one.txt /x/'),
  copy('add a directory', 'ADD src /dst/'),
  {
    name: 'copy from a stage',
    dockerfile:
      'FROM busybox AS b\nRUN mkdir /o && echo x > /o/x && chown -R 3:4 /o && chmod 700 /o\nFROM busybox\nCOPY --from=b /o /o\nCOPY --from=0 /o/x /p/x',
  },
  { name: 'copy from an image', dockerfile: 'FROM scratch\nCOPY --from=busybox /etc/passwd /etc/group /e/' },
  { name: 'from scratch', dockerfile: 'FROM scratch\nCOPY one.txt /\nENV A=1\nCMD ["/x"]', files: TREE },
  {
    name: 'from a stage twice',
    dockerfile:
      'FROM busybox AS b\nRUN echo 1 > /1\nFROM b AS c\nRUN echo 2 > /2\nFROM b\nCOPY --from=c /2 /two',
  },
  {
    name: 'onbuild that takes from a stage',
    dockerfile:
      'FROM busybox AS src\nRUN echo s > /s\nFROM busybox AS base\nONBUILD COPY --from=src /s /t\nFROM base\nENV X=1',
  },
  {
    name: 'a stage that nothing needs',
    dockerfile: 'FROM busybox AS no\nRUN echo no > /no\nFROM busybox\nRUN echo yes > /yes',
  },
  {
    name: 'names of one file, from a stage',
    dockerfile:
      'FROM busybox AS b\nRUN mkdir /d && echo 1 > /d/1 && ln /d/1 /d/2\nFROM busybox\nCOPY --from=b /d /e/',
  },
  {
    name: 'a target that is not the last',
    dockerfile:
      'FROM busybox AS a\nRUN echo a > /a\nFROM busybox AS b\nCOPY --from=a /a /b\nFROM busybox\nRUN exit 9',
    args: ['--target', 'b'],
  },
  {
    name: 'dockerfile elsewhere',
    dockerfile: 'FROM busybox',
    files: [file('sub/Other', 'FROM busybox\nENV OTHER=1\n')],
    args: ['-f', 'sub/Other'],
  },
];

const FAILING_CASES: readonly BuildCase[] = [
  failing('a command that fails', `${FROM}RUN echo before; exit 7`),
  failing('a file that is not there', `${FROM}COPY nope /x`),
  failing('no source that fits', `${FROM}COPY *.nope /x/`),
  failing('several files onto one', `${FROM}COPY one two /x`, [file('one'), file('two')]),
  failing('an unknown user', `${FROM}COPY --chown=nobodyhere one /x`, [file('one')]),
  failing('a url for copy', `${FROM}COPY http://127.0.0.1/x /x`),
  failing('a trigger that is forbidden', `${FROM}ONBUILD FROM busybox`),
  failing('a trigger of a trigger', `${FROM}ONBUILD ONBUILD ENV A=1`),
  failing('an unknown instruction', `${FROM}NOPE x`),
  failing('no arguments', `${FROM}ENV`),
  failing('a name alone', `${FROM}ENV A`),
  failing('a port that is none', `${FROM}EXPOSE 99999`),
  failing('a health check of an unknown kind', `${FROM}HEALTHCHECK NOPE`),
  failing('a health check with a bad time', `${FROM}HEALTHCHECK --interval=x CMD a`),
  failing('a stage of no name', 'FROM busybox AS 1x\nENV A=1'),
  failing('nothing before FROM', 'ENV A=1\nFROM busybox'),
  failing('no instruction at all', '# nothing\n'),
  failing('a volume of nothing', `${FROM}VOLUME [""]`),
  failing('a stop signal that is none', `${FROM}STOPSIGNAL SIGNOPE`),
];

/** What the table is made of. */
export const BUILD_CASES: readonly BuildCase[] = [
  ...CONFIG_CASES,
  ...RUN_CASES,
  ...COPY_CASES,
  ...DETAIL_CASES,
  ...FAILING_CASES,
];
