import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { once } from 'node:events';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { rawHttp } from '../support/raw-http.ts';
import { createScorecard } from '../support/scorecard.ts';

// What one client can take of the daemon itself: its time, its memory, its descriptors.

const score = createScorecard('attacks on what the daemon is made of');
const MANY = 2_000;

describe('a daemon', () => {
  const job = useJob();
  const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);

  async function isAnswering(): Promise<void> {
    const answer = await rawHttp(job.berth.ready.socket, get('/_ping'));
    expect(answer.status).toBe(200);
  }

  async function readLimit(): Promise<{ readonly soft: string; readonly hard: string }> {
    const limits = await readFile(`/proc/${job.berth.pid}/limits`, 'utf8');
    const [, soft = '', hard = ''] = /^Max open files +(\d+) +(\d+)/m.exec(limits) ?? [];
    return { soft, hard };
  }

  async function setLimit(soft: string): Promise<void> {
    const { hard } = await readLimit();
    execFileSync('prlimit', ['--pid', String(job.berth.pid), `--nofile=${soft}:${hard}`]);
  }

  /** Leaves berth so many descriptors more than it has. */
  async function leaveDescriptors(spare: number): Promise<void> {
    const open = await readdir(`/proc/${job.berth.pid}/fd`);
    await setLimit(String(Math.max(...open.map(Number)) + 1 + spare));
  }

  test.each([1, 3, 6])('lives through having %i descriptors left', (spare) =>
    score.row(async () => {
      const { berth } = job;
      await ask(berth, 'run', '-d', '--name', 'busy', 'busybox', 'sleep', '1000');
      const { soft } = await readLimit();
      try {
        for (const args of [
          ['version'],
          ['info'],
          ['run', '--rm', 'busybox', 'true'],
          ['exec', 'busy', 'true'],
          ['logs', 'busy'],
          ['top', 'busy'],
          ['cp', 'busy:/etc/passwd', '-'],
          ['network', 'create', `n${spare}`],
          ['volume', 'create', `v${spare}`],
          ['diff', 'busy'],
          ['system', 'df'],
          ['load'],
        ]) {
          await leaveDescriptors(spare);
          const { stdout, stderr } = await berth.docker(args, { timeoutMs: 60_000 });
          await setLimit(soft);
          expect(`${stdout}${stderr}`).not.toMatch(/undefined|TypeError/);
          await isAnswering();
        }
      } finally {
        await setLimit(soft);
        await berth.docker(['rm', '-f', 'busy']);
      }
      expect(await ask(berth, 'run', '--rm', 'busybox', 'echo', 'whole')).toBe('whole');
    }),
  );

  test.each(['/_ping', '/info', '/events', '/system/df'])(
    'has time for others while one connection asks for %s without reading',
    (path) =>
      score.row(async () => {
        const greedy = connect(job.berth.ready.socket);
        greedy.on('error', () => undefined);
        greedy.pause();
        greedy.write(Buffer.concat(Array.from({ length: MANY }, () => get(path))));
        try {
          const descriptors = (await readdir(`/proc/${job.berth.pid}/fd`)).length;
          for (let round = 0; round < 5; round += 1) await isAnswering();
          expect((await readdir(`/proc/${job.berth.pid}/fd`)).length).toBeLessThan(descriptors + 20);
        } finally {
          greedy.destroy();
        }
      }),
  );

  test('reads the counters of a container once for hundreds who look', () =>
    score.row(async () => {
      const { berth } = job;
      await ask(berth, 'run', '-d', '--name', 'watched', 'busybox', 'sleep', '1000');
      const clients = Array.from({ length: 400 }, () => {
        const client = connect(berth.ready.socket);
        client.on('error', () => undefined);
        client.write(get('/containers/watched/stats?stream=1'));
        client.pause();
        return client;
      });
      try {
        let most = 0;
        for (let round = 0; round < 60; round += 1) {
          most = Math.max(most, (await readdir(`/proc/${berth.pid}/fd`)).length);
          await sleep(50);
        }
        expect(most).toBeLessThan(clients.length + 120);
        await isAnswering();
      } finally {
        for (const client of clients) client.destroy();
        await ask(berth, 'rm', '-f', 'watched');
      }
    }));

  /** A connection that builds are asked for on, its HTTP/1 head read. */
  async function openGrpc(): Promise<Socket> {
    const socket = connect(job.berth.ready.socket);
    socket.on('error', () => undefined);
    socket.write('POST /grpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    let head = '';
    while (!head.endsWith('\r\n\r\n')) {
      await once(socket, 'readable');
      for (
        let byte = socket.read(1) as Buffer | null;
        byte !== null;
        byte = socket.read(1) as Buffer | null
      ) {
        head += byte.toString('latin1');
        if (head.endsWith('\r\n\r\n')) break;
      }
    }
    return socket;
  }

  test('serves no more calls of a build client at once than one has use for', () =>
    score.row(async () => {
      const socket = await openGrpc();
      const session = http2.connect('http://x', { createConnection: () => socket });
      try {
        await once(session, 'remoteSettings');
        expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
      } finally {
        session.destroy();
      }
    }));

  test('serves so many build clients and no more', () =>
    score.row(async () => {
      const sockets = await Promise.all(Array.from({ length: 65 }, openGrpc));
      try {
        await expect.poll(() => sockets.filter((socket) => socket.closed).length).toBe(1);
        await isAnswering();
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      const next = await openGrpc();
      expect(next.closed).toBe(false);
      next.destroy();
    }));
});
