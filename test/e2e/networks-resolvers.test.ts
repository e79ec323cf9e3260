import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { runCommand } from '../support/e2e-process.ts';

// Names as the C libraries look them up, each with its own code, in real containers.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);
const inside = (name: string, script: string): Promise<string> => docker('exec', name, 'sh', '-c', script);

/** Looks a name up, or holds port 53 of all addresses, UDP and TCP. */
const PROGRAM = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static int hold(void) {
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(53)};
  int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(udp, (void *)&any, sizeof any) || bind(tcp, (void *)&any, sizeof any) || listen(tcp, 5)) return perror("bind"), 1;
  puts("held");
  fflush(stdout);
  return pause();
}
int main(int argc, char **argv) {
  if (argc == 1) return hold();
  struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
  int code = getaddrinfo(argv[1], 0, &hints, &found);
  if (code) return puts(gai_strerror(code)), 1;
  for (; found; found = found->ai_next) {
    char text[64];
    if (!getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST)) puts(text);
  }
  return 0;
}`;

describe('names are looked up', () => {
  let directory = '';
  let address = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-resolvers-'));
    await writeFile(join(directory, 'look.c'), PROGRAM);
    await run('musl-gcc', '-static', '-o', join(directory, 'look'), join(directory, 'look.c'));
    await docker('network', 'create', 'looks');
    const sleeper = ['--network', 'looks', '--network-alias', 'shared', 'busybox', 'sleep', '1000'];
    await docker('run', '-d', '--name', 'target', ...sleeper);
    await docker('run', '-d', '--name', 'asker', '--dns-search', 'search.example', ...sleeper);
    address = await docker('inspect', '-f', '{{.NetworkSettings.Networks.looks.IPAddress}}', 'target');
    await docker('cp', join(directory, 'look'), 'asker:/look');
  });
  afterAll(async () => {
    await docker('rm', '-f', 'target', 'asker');
    await docker('network', 'rm', 'looks');
    await rm(directory, { recursive: true });
  });
  const run = async (program: string, ...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCommand({
      program,
      args,
      env: { PATH: process.env['PATH'] ?? '' },
    });
    if (code !== 0) throw new Error(`${program}: ${stderr}`);
    return stdout;
  };

  test('by musl', async () => {
    for (const name of ['target', 'TARGET', 'target.looks'])
      expect(await inside('asker', `/look ${name}`)).toBe(address);
    expect((await inside('asker', '/look shared')).split('\n')).toHaveLength(2);
  });

  test('by glibc', async () => {
    const program = await realpath((await run('sh', '-c', 'command -v getent')).trim());
    const libraries = [...(await run('ldd', program)).matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
    expect(libraries).not.toEqual([]);
    for (const path of [program, ...libraries]) {
      await inside('asker', `mkdir -p ${path.replace(/\/[^/]*$/, '')}`);
      await docker('cp', '-L', path, `asker:${path}`);
    }
    const look = (name: string): Promise<string> =>
      inside('asker', `${program} ahostsv4 ${name} | grep STREAM`);
    for (const name of ['target', 'TARGET', 'target.looks']) expect(await look(name)).toMatch(`${address} `);
    expect((await look('shared')).split('\n')).toHaveLength(2);
  });

  test('by busybox', async () => {
    expect(await inside('asker', 'ping -c 1 -W 2 target | head -1')).toContain(`(${address})`);
    // Its nslookup takes the search list first; this container has the host's.
    expect(await inside('target', 'nslookup target. | tail -n +3')).toContain(address);
  });

  test('in a container that holds port 53 of all its addresses, before and after', async () => {
    await inside('asker', '/look >/tmp/held & until grep -q held /tmp/held; do :; done');
    expect(await inside('asker', '/look target')).toBe(address);
    expect(await inside('asker', 'cat /tmp/held')).toBe('held');
  });

  test('with the files that were asked for, also after a network was joined', async () => {
    const files = async (): Promise<string> => inside('asker', 'cat /etc/resolv.conf');
    expect(await files()).toBe('nameserver 127.0.0.11\nsearch search.example\noptions ndots:0');
    await docker('network', 'create', 'later');
    await docker('network', 'connect', 'later', 'asker');
    expect(await files()).toBe('nameserver 127.0.0.11\nsearch search.example\noptions ndots:0');
    expect((await inside('asker', 'cat /etc/hosts')).match(/^172\..*$/gm)).toHaveLength(2);
    await docker('network', 'disconnect', 'later', 'asker');
    expect((await inside('asker', 'cat /etc/hosts')).match(/^172\..*$/gm)).toHaveLength(1);
    await docker('network', 'rm', 'later');
    const options = ['--add-host', 'up:host-gateway', '--add-host', 'six:fd00::1', '--dns', '192.0.2.53'];
    const show = ['busybox', 'sh', '-c', 'cat /etc/hosts /etc/resolv.conf'];
    const told = await docker('run', '--rm', ...options, '--dns-option', 'timeout:1', ...show);
    expect(told).toMatch(/^172\.17\.0\.1\tup$/m);
    expect(told).toMatch(/^fd00::1\tsix$/m);
    expect(told).toMatch(/^nameserver 192\.0\.2\.53\n(search .*\n)?options timeout:1$/m);
  });
});
