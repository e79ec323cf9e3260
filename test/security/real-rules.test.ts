import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBerth, startBerth, type Berth } from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { buildImage } from '../support/image-builder.ts';
import { pushImage, startRegistry, type Registry } from '../support/registry.ts';

// The operator's settings with the real docker CLI on real containerd: rules for single images, switches, explanations.

describe('a rule for one image', () => {
  let registry: Registry;
  let berth: Berth;
  let builder: string;

  beforeAll(async () => {
    registry = await startRegistry();
    builder = `${registry.host}/team/builder`;
    await pushImage(registry, 'team/builder:1', {
      image: await buildImage({ cmd: ['sh'], env: ['BUILDER=1'] }),
      kind: 'oci',
    });
    berth = await startBerth({
      config: `[dind]
fence = "none"
neutralise = ["testcontainers/ryuk"]
[[dind.allow_privileged]]
image = "${builder}"
privileged = true
`,
    });
    await loadBusybox(berth);
  });
  afterAll(async () => {
    const end = await berth.stop();
    await registry.stop();
    expect(end).toMatchObject({ code: 0, report: { decisions: { refused: expect.any(Number) as number } } });
  });

  const privileged = (image: string, ...command: readonly string[]): ReturnType<Berth['docker']> =>
    berth.docker(['run', '--rm', '--privileged', image, ...command]);

  test('runs what was pulled under its name with the full stack, and nothing that was only called so', async () => {
    const script = 'cat /proc/self/status; mount; ls /dev';
    const { code, stdout, stderr } = await privileged(`${builder}:1`, 'sh', '-c', script);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^Seccomp:\t0$/m);
    const own = /^CapBnd:\s*(\w+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
    expect(/^CapEff:\s*(\w+)$/m.exec(stdout)?.[1]).toBe(own);
    expect(stdout).toMatch(/ on \/sys type sysfs \(rw/);
    expect(stdout).not.toMatch(/ on \/proc\/\S+ /);
    for (const name of ['builder:2', 'builder:1']) {
      await ask(berth, 'tag', 'busybox', `${registry.host}/team/${name}`);
      const refused = await privileged(`${registry.host}/team/${name}`, 'true');
      expect(refused.code).toBe(125);
      expect(refused.stderr).toMatch(/HostConfig\.Privileged true is refused: .*fence: none/s);
    }
    await ask(berth, 'pull', `${builder}:1`);
    expect((await privileged(`${builder}:1`, 'true')).code).toBe(0);
  });

  test('opens exec --privileged in what it started, and in nothing else', async () => {
    const ids = [
      await ask(berth, 'run', '-d', '--privileged', `${builder}:1`, 'sleep', '1000'),
      await ask(berth, 'run', '-d', `${builder}:1`, 'sleep', '1000'),
    ];
    const codes: number[] = [];
    for (const id of ids) codes.push((await berth.docker(['exec', '--privileged', id, 'true'])).code);
    expect(codes.map((code) => code === 0)).toEqual([true, false]);
    await ask(berth, 'rm', '-f', ...ids);
  });

  test('an image to be neutralised runs without what it asks for', async () => {
    await ask(berth, 'tag', 'busybox', 'testcontainers/ryuk:0.12.0');
    const { code, stdout, stderr } = await privileged(
      'testcontainers/ryuk:0.12.0',
      'cat',
      '/proc/self/status',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Seccomp:\t2$/m);
    expect(stderr).toContain('dind.neutralise');
  });

  test('info shows the fence, and every refusal is in the audit file', async () => {
    expect(await ask(berth, 'info', '--format', '{{json .Labels}}')).toBe(
      '["berth.fence=none","berth.allow_privileged=by-rule"]',
    );
    const file = join(berth.directories.runDir, berth.ready.job, 'audit.jsonl');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({
        job: berth.ready.job,
        verb: 'create',
        image: `${builder}:2`,
        field: 'HostConfig.Privileged',
        asked: 'true',
        verdict: 'refused',
        setting: 'dind.allow_privileged',
      }),
    );
  });

  test('explain says so of a docker command, and makes nothing', async () => {
    const { home, root, runDir } = berth.directories;
    const explain = (...args: readonly string[]): ReturnType<typeof runBerth> =>
      runBerth(
        ['explain', '--root', root, '--run-dir', runDir, '--job', berth.ready.job, '--', 'docker', ...args],
        { home },
      );
    const before = await ask(berth, 'ps', '-aq');
    const fine = await explain('run', '-m', '64m', '-v', '/a:/b:ro', 'busybox', 'id');
    expect(fine.code).toBe(0);
    expect(JSON.parse(fine.stdout)).toMatchObject({
      admitted: true,
      spec: { process: { args: ['id'] }, linux: { resources: { memory: { limit: 2 ** 26 } } } },
    });
    const refused = await explain('create', '--privileged', 'busybox');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      admitted: false,
      fields: expect.arrayContaining([
        expect.objectContaining({ field: 'HostConfig.Privileged', verdict: 'refused' }),
      ]) as unknown,
    });
    expect(await ask(berth, 'ps', '-aq')).toBe(before);
  });
});

describe('the profile socket-proxy', () => {
  const config = '[api]\nprofile = "socket-proxy"\n';

  async function codesOf(
    berth: Berth,
    commands: readonly string[],
  ): Promise<Readonly<Record<string, boolean>>> {
    const codes: [string, boolean][] = [];
    for (const command of commands)
      codes.push([command, (await berth.docker(command.split(' '))).code === 0]);
    return Object.fromEntries(codes);
  }

  test("has docker-socket-proxy's defaults, and answers JSON that the CLI can read", async () => {
    const berth = await startBerth({ config, env: { CONTAINERS: '1' } });
    try {
      expect(
        await codesOf(berth, ['version', 'ps', 'images', 'info', 'network ls', 'pull alpine', 'create x']),
      ).toEqual({
        version: true,
        ps: true,
        images: false,
        info: false,
        'network ls': false,
        'pull alpine': false,
        'create x': false,
      });
      expect((await berth.docker(['images'])).stderr).toContain('is closed by IMAGES');
    } finally {
      await berth.stop();
    }
  });

  test('opens by the environment of berth, verb by verb', async () => {
    const berth = await startBerth({
      config,
      env: { CONTAINERS: '1', POST: '1', EXEC: '1', IMAGES: '1', NETWORKS: '1' },
    });
    try {
      await loadBusybox(berth);
      const commands = [
        'run -d --name one busybox sleep 1000',
        'exec one true',
        'kill one',
        'rm -f one',
        'stop -t 0 one',
        'network create foo',
        'network rm foo',
        'volume ls',
      ];
      expect(Object.values(await codesOf(berth, commands))).toEqual([
        true,
        true,
        false,
        false,
        true,
        true,
        true,
        false,
      ]);
    } finally {
      await berth.stop();
    }
  });
});
