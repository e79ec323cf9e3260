import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { loadLibc } from './libc.ts';
import { createHostProcesses } from './processes.ts';
import { openNetnsEntry, type NetnsEntry } from './netns.ts';

describe('entry into a network namespace', () => {
  let directory = '';
  let path = '';
  let entry: NetnsEntry;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-netns-'));
    path = join(directory, 'ns');
    const processes = createHostProcesses();
    await processes.run(['touch', path]);
    const made = await processes.run(['unshare', `--net=${path}`, 'ip', 'link', 'set', 'lo', 'up']);
    expect(made).toMatchObject({ code: 0 });
    entry = await openNetnsEntry();
  });
  afterAll(async () => {
    (await loadLibc()).unmount(path, { lazy: true });
    await rm(directory, { recursive: true });
  });
  const here = (): string => readlinkSync('/proc/thread-self/ns/net');
  const sockets = (): string => readFileSync('/proc/thread-self/net/tcp', 'utf8');

  test('a section runs inside, and its failure leads out again', () => {
    const outside = here();
    expect(entry.run(path, here)).not.toBe(outside);
    const fail = (): never => entry.run(path, () => JSON.parse('{') as never);
    expect(fail).toThrow(SyntaxError);
    expect(here()).toBe(outside);
    expect(() => entry.run(join(directory, 'absent'), here)).toThrow('cannot enter a network namespace');
  });

  test('entries hold no descriptors', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    for (const one of [await openNetnsEntry(), await openNetnsEntry()]) one.run(path, here);
    expect(() => entry.runInNew(() => JSON.parse('{') as never)).toThrow(SyntaxError);
    expect(count()).toBe(before);
  });

  test('a socket listens inside, and a second one is told that the port is taken', () => {
    const spec = { protocol: 'tcp', address: '0.0.0.0', port: 4660 } as const;
    const fd = entry.listen(path, spec);
    expect(entry.run(path, sockets)).toContain('00000000:1234 ');
    expect(sockets()).not.toContain('00000000:1234 ');
    expect(() => entry.listen(path, spec)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
    const elsewhere = { ...spec, address: '192.0.2.1' };
    expect(() => entry.listen(path, elsewhere)).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
    // IPv6 is a family of its own: the same port is free there.
    closeSync(entry.listen(path, { ...spec, address: '::' }));
    closeSync(fd);
  });
});
