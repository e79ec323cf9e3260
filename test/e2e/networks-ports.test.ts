import { describe, expect, test } from 'vitest';
import { runCommand } from '../support/e2e-process.ts';
import { removeDirectories, startBerth, type Berth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';

// Published ports, as the job's own processes and its containers reach them.

const job = useJob();
const SERVE = 'while :; do echo "$NAME" | nc -l -p 80; done';

async function serve(berth: Berth, name: string, ...args: readonly string[]): Promise<string> {
  return ask(berth, 'run', '-d', '--name', name, '-e', `NAME=${name}`, ...args, 'busybox', 'sh', '-c', SERVE);
}

async function fetchInJob(berth: Berth, address: string, port: string): Promise<string> {
  const script = `
    const socket = require('node:net').connect(${port}, '${address}');
    socket.on('data', (data) => { process.stdout.write(data); process.exit(); });
    socket.on('error', (error) => { process.stdout.write(error.code); });`;
  const args = [`--net=${berth.ready.netns}`, process.execPath, '-e', script];
  const { stdout } = await runCommand({ program: 'nsenter', args, env: { PATH: process.env['PATH'] ?? '' } });
  return stdout.trim();
}

describe('published ports', () => {
  test('two jobs publish the same port at once, and each is reached in its own job', async () => {
    const other = await startBerth();
    try {
      await loadBusybox(other);
      await serve(job.berth, 'mine', '-p', '5432:80');
      await serve(other, 'theirs', '-p', '5432:80');
      for (const address of ['127.0.0.1', '::1', '172.17.0.1']) {
        await expect.poll(() => fetchInJob(job.berth, address, '5432')).toBe('mine');
        await expect.poll(() => fetchInJob(other, address, '5432')).toBe('theirs');
      }
    } finally {
      expect((await other.stop()).code).toBe(0);
    }
  });

  test('inspect, port and ps tell them; a stopped container frees them', async () => {
    await serve(job.berth, 'told', '-p', '127.0.0.1:8081:80', '-p', '8053:53/udp', '--expose', '99');
    expect(await ask(job.berth, 'port', 'told')).toBe(
      '53/udp -> 0.0.0.0:8053\n53/udp -> [::]:8053\n80/tcp -> 127.0.0.1:8081',
    );
    expect(await ask(job.berth, 'ps', '--filter', 'name=told', '--format', '{{.Ports}}')).toBe(
      '99/tcp, 0.0.0.0:8053->53/udp, [::]:8053->53/udp, 127.0.0.1:8081->80/tcp',
    );
    expect(await ask(job.berth, 'inspect', '-f', '{{json .NetworkSettings.Ports}}', 'told')).toBe(
      '{"53/udp":[{"HostIp":"0.0.0.0","HostPort":"8053"},{"HostIp":"::","HostPort":"8053"}],"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8081"}],"99/tcp":null}',
    );
    await ask(job.berth, 'rm', '-f', 'told');
    await serve(job.berth, 'next', '-p', '127.0.0.1:8081:80');
    await expect.poll(() => fetchInJob(job.berth, '127.0.0.1', '8081')).toBe('next');
  });

  test('a port nobody chose is reported, and reached', async () => {
    await serve(job.berth, 'any', '-P', '--expose', '80');
    const [, port = ''] = /0\.0\.0\.0:(\d+)/.exec(await ask(job.berth, 'port', 'any', '80')) ?? [];
    expect(Number(port)).toBeGreaterThanOrEqual(32_768);
    await expect.poll(() => fetchInJob(job.berth, '127.0.0.1', port)).toBe('any');
  });

  test('a taken port is refused and names its holder; the container stays created', async () => {
    await serve(job.berth, 'holder', '-p', '8090:80');
    const { code, stderr } = await job.berth.docker([
      ...['run', '--name', 'late', '-p', '8090:80', 'busybox', 'true'],
    ]);
    expect(code).toBe(125);
    expect(stderr).toMatch(
      /driver failed programming external connectivity on endpoint late \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8090 failed: port is already allocated \(by container holder\)/,
    );
    expect(await ask(job.berth, 'inspect', '-f', '{{.State.Status}}', 'late')).toBe('created');
    await ask(job.berth, 'rm', '-f', 'holder');
    await ask(job.berth, 'start', 'late');
  });

  test('siblings reach a published port by the gateway', async () => {
    await serve(job.berth, 'front', '-p', '8091:80');
    const retry = 'until nc 172.17.0.1 8091; do sleep 0.1; done';
    const output = await ask(job.berth, 'run', '--rm', 'busybox', 'sh', '-c', retry);
    expect(output).toBe('front');
  });

  test('a port of SCTP is refused', async () => {
    const { stderr } = await job.berth.docker(['create', '-p', '8092:80/sctp', 'busybox', 'true']);
    expect(stderr).toContain('SCTP ports cannot be published');
    const all = await job.berth.docker(['create', '-P', '--expose', '8092/sctp', 'busybox', 'true']);
    expect(all.stderr).toContain('SCTP ports cannot be published');
    const exposed = await ask(job.berth, 'run', '-d', '--expose', '8092/sctp', 'busybox', 'sleep', '1000');
    const stopped = await job.berth.docker(['commit', exposed, 'speaks-sctp']);
    expect(stopped.code).toBe(0);
    const { stderr: ofImage } = await job.berth.docker(['create', '-P', 'speaks-sctp']);
    expect(ofImage).toContain('SCTP ports cannot be published');
    await ask(job.berth, 'rm', '-f', exposed);
  });

  test('after a crash of berth the next process keeps them', async () => {
    const first = await startBerth();
    await loadBusybox(first);
    await serve(first, 'kept', '-p', '8093:80');
    await first.kill9();
    const second = await startBerth({ job: first.ready.job, directories: first.directories });
    await expect.poll(() => fetchInJob(second, '127.0.0.1', '8093')).toBe('kept');
    await expect.poll(() => fetchInJob(second, '::1', '8093')).toBe('kept');
    const { stderr } = await second.docker(['run', '-p', '8093:80', 'busybox', 'true']);
    expect(stderr).toContain('port is already allocated (by container kept)');
    await ask(second, 'rm', '-f', 'kept');
    expect(await fetchInJob(second, '127.0.0.1', '8093')).toBe('ECONNREFUSED');
    expect((await second.stop()).code).toBe(0);
    await removeDirectories(first.directories);
  });
});
