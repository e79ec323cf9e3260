import { packTar, type LayerEntry } from '../../support/image-builder.ts';
import type { Request, RequestTable } from '../request.ts';

const TAR = { 'Content-Type': 'application/x-tar' };

const file = (path: string, content: string): LayerEntry => ({ path, type: 'file', content });
const contextOf = (dockerfile: string): Promise<Buffer> =>
  packTar([
    file('Dockerfile', dockerfile),
    file('other', 'FROM busybox\nLABEL from=other\n'),
    file('a', 'a\n'),
  ]);

const PLAIN = await contextOf(
  'FROM busybox\nARG A=1\nARG B\nLABEL a=$A b=$B\nCOPY a /a\nENV E=e\nCMD ["true"]\n',
);
const STAGES = await contextOf('FROM busybox AS one\nLABEL stage=one\nFROM one AS two\nLABEL stage=two\n');

const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

/** Queries of a build that makes an image, and the context that they are asked with. */
const BUILT: readonly (readonly [query: string, context: Buffer])[] = [
  ['t=built:1&t=built:2', PLAIN],
  ['t=built:1', PLAIN],
  ['t=built:1&nocache=1&rm=0', PLAIN],
  ['t=built:1&q=1', PLAIN],
  [`t=built:1&buildargs=${json({ A: '2', B: 'b' })}`, PLAIN],
  [`t=built:1&buildargs=${json({ A: null, UNUSED: 'x' })}`, PLAIN],
  [`t=built:1&labels=${json({ a: 'from outside', c: 'c' })}`, PLAIN],
  ['t=built:1&dockerfile=other', PLAIN],
  ['t=built:1&dockerfile=./other', PLAIN],
  ['t=built:1&target=one', STAGES],
  ['t=built:1&target=TWO', STAGES],
  ['t=built:1&target=0', STAGES],
  [`t=built:1&cachefrom=${json(['built:2'])}`, PLAIN],
  ['t=built:1&forcerm=1&rm=1', PLAIN],
  ['t=built:1&networkmode=none&shmsize=1000000&memory=100000000&cpushares=100', PLAIN],
  [`t=built:1&ulimits=${json([{ Name: 'nofile', Soft: 10, Hard: 20 }])}`, PLAIN],
  ['t=built:1&extrahosts=a:1.2.3.4&extrahosts=b:1.2.3.5', PLAIN],
  ['t=built:1&cpuperiod=100000&cpuquota=50000&cpusetcpus=0&cpusetmems=0&memswap=-1', PLAIN],
  ['t=built:1&version=1', PLAIN],
  ['t=built:1&remote=context&buildid=x&session=', PLAIN],
  ['t=built:1&isolation=default', PLAIN],
  ['t=built:1&pull=0', PLAIN],
];

const REFUSED: readonly (readonly [query: string, context: Buffer])[] = [
  ['t=BAD', PLAIN],
  ['t=a:b:c', PLAIN],
  ['t=built@sha256:0', PLAIN],
  ['dockerfile=nope', PLAIN],
  ['dockerfile=../Dockerfile', PLAIN],
  ['dockerfile=/etc/passwd', PLAIN],
  ['target=three', STAGES],
  ['buildargs=nope', PLAIN],
  ['labels=nope', PLAIN],
  ['labels=7', PLAIN],
  ['cachefrom=nope', PLAIN],
  ['ulimits=nope', PLAIN],
  ['shmsize=much', PLAIN],
  ['memory=much', PLAIN],
  ['version=3', PLAIN],
  ['platform=nope/nope/nope/nope', PLAIN],
  ['isolation=hyperv', PLAIN],
  ['networkmode=nope', await contextOf('FROM busybox\nRUN true\n')],
  ['networkmode=container:nope', await contextOf('FROM busybox\nRUN true\n')],
  ['', await contextOf('')],
  ['', await contextOf('# nothing\n')],
  ['', await contextOf('RUN true\n')],
  ['', await contextOf('FROM\n')],
  ['', await contextOf('FROM scratch\n')],
  ['', await contextOf('FROM BAD\n')],
  ['', await contextOf('FROM busybox\nNOPE x\n')],
  ['', await contextOf('FROM busybox\nCOPY nope /x\n')],
  ['', await contextOf('FROM busybox\nCOPY a\n')],
  ['', await contextOf('FROM busybox\nCOPY --from=127.0.0.1:1/nope a /x\n')],
  ['', await contextOf('FROM busybox\nRUN exit 3\n')],
  ['', await contextOf('FROM busybox\nENV\n')],
  ['', await contextOf('FROM busybox\nEXPOSE x\n')],
  ['', await contextOf('FROM busybox\nHEALTHCHECK x\n')],
  ['', await packTar([file('a', 'a\n')])],
];

const build = ([query, raw]: readonly [string, Buffer], index: number): Request => ({
  ask: `POST /build?${query}&number=${String(index)}`,
  raw,
  headers: TAR,
  // berth needs no container for a step that only changes the configuration.
  without: ['---> Running in', 'Removing intermediate container'],
});

const OTHERS: readonly Request[] = [
  { ask: 'POST /build' },
  { ask: 'POST /build', raw: 'no tar' },
  { ask: 'POST /build', raw: 'FROM busybox\n', headers: { 'Content-Type': 'text/plain' } },
  { ask: 'POST /build?remote=http://127.0.0.1:1/context' },
  { ask: 'POST /build?remote=nope://x', raw: PLAIN, headers: TAR },
  { ask: 'POST /build', raw: PLAIN, headers: { ...TAR, 'X-Registry-Config': 'e30=' } },
  { ask: 'POST /build', raw: PLAIN, headers: { ...TAR, 'X-Registry-Config': 'nope' } },
  { ask: 'POST /build/cancel' },
  { ask: 'POST /build/cancel?id=x' },
  { ask: 'POST /build/prune?all=1&keep-storage=1000' },
  { ask: 'POST /build/prune?keep-storage=x' },
  { ask: 'POST /build/prune?all=maybe' },
];

/** Builds by `POST /build` without BuildKit: each parameter, each way to fail, and what is told line by line. */
export const builds: RequestTable = {
  title: 'builds',
  requests: [
    ...BUILT.map((one, index): Request => ({
      ...build(one, index),
      keep: { [`built${String(index)}`]: 'aux.ID' },
    })),
    ...REFUSED.map((one, index) => build(one, index)),
    ...OTHERS,
    { ask: 'DELETE /images/built:2', quiet: true },
    { ask: 'DELETE /images/built:1', quiet: true },
    { ask: 'POST /containers/prune', quiet: true },
    { ask: 'POST /images/prune', quiet: true },
  ],
};
