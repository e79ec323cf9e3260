import { describe, expect, it } from 'vitest';

import { parseTopOptions } from './top-options.ts';

describe('parseTopOptions', () => {
  it.each([
    ['', ['-f']],
    ['   ', ['-f']],
    ['-ef', ['-f']],
    ['aux', ['u']],
    ['-e', []],
    ['axf', ['f']],
    ['-eLf', ['-Lf']],
    ['-o pid,comm', ['-o', 'pid,comm']],
    ['-eo pid,args:40', ['-o', 'pid,args:40']],
    ['-opid', ['-o', 'pid']],
    ['axo pid,comm', ['-o', 'pid,comm']],
    ['-o pid -o comm', ['-o', 'pid,comm']],
    ['--format=pid,comm', ['-o', 'pid,comm']],
    ['--format pid', ['-o', 'pid']],
    ['-ef --forest', ['-f', '--forest']],
    ['-M', ['-M']],
  ])('reads %j as %j', (psArgs, psOptions) => {
    expect(parseTopOptions(psArgs)).toEqual({ psOptions, procColumns: [] });
  });

  it.each([
    '-aux',
    '-C sleep',
    '-p 1',
    '-u root',
    '--pid 1',
    '--ppid=1',
    '-N',
    'r',
    'h',
    'k',
    'X',
    '--no-headers',
    '--sort=pid',
    '--help',
    '1',
    '-',
    '-ef;id',
    '$(id)',
    '-f\n-e',
    '-f\0',
  ])('refuses %j', (psArgs) => {
    expect(() => parseTopOptions(psArgs)).toThrow(/^ps: option .* is not allowed$/);
  });

  it.each([
    'nope',
    'cgroup',
    'cgname',
    'unit',
    'exe',
    'wchan',
    'pid=',
    'pid=x',
    'pid:',
    'pid:99999',
    '',
    'pid,',
    'pid;id',
  ])('refuses the column list %j', (list) => {
    expect(() => parseTopOptions(`-o ${list}`)).toThrow(/^ps: error: unknown user-defined format specifier/);
  });

  it.each([
    ['-o ppid=PID', 'specifying "ppid=PID" is not allowed'],
    ['-o pid,args=PIDS', 'specifying "args=PIDS" is not allowed'],
    ['x'.repeat(1025), 'ps_args are too long'],
  ])('refuses %j', (psArgs, message) => {
    expect(() => parseTopOptions(psArgs)).toThrow(message);
  });

  it('takes columns out that ps does not know, and remembers their places', () => {
    expect(parseTopOptions('-o capeff,pid,seccomp,args')).toEqual({
      psOptions: ['-o', 'pid,args'],
      procColumns: [
        { name: 'capeff', index: 0 },
        { name: 'seccomp', index: 2 },
      ],
    });
  });

  it('asks ps for no column when there is none of its own', () => {
    expect(() => parseTopOptions('-o capeff')).toThrow("Couldn't find PID field in ps output");
  });
});
