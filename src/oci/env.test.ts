import { expect, it } from 'vitest';
import { buildEnv, replaceEnv } from './env.ts';

it('is told of links, and has the last word', () => {
  const linkEnv = ['DB_NAME=/web/db', 'DB_PORT=tcp://10.0.0.2:80'];
  expect(buildEnv({ hostname: 'h', tty: false, linkEnv, env: ['DB_PORT=mine'] }).slice(2)).toEqual([
    'DB_NAME=/web/db',
    'DB_PORT=mine',
  ]);
});

it("starts from Docker's defaults", () => {
  expect(buildEnv({ hostname: 'h', tty: false, linkEnv: [], env: [] })).toEqual([
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=h',
  ]);
});

it('sets TERM with a terminal only, and lets everything be overridden in its place', () => {
  expect(
    buildEnv({ hostname: 'h', tty: true, linkEnv: [], env: ['B=1', 'PATH=/x', 'TERM=vt100', 'B=2=3'] }),
  ).toEqual(['PATH=/x', 'HOSTNAME=h', 'TERM=vt100', 'B=2=3']);
});

it('takes a variable out by its bare name', () => {
  expect(replaceEnv(['A=1', 'B=2'], ['A', 'C', '__proto__=x'])).toEqual(['B=2', '__proto__=x']);
});
