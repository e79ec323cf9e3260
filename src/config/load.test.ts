import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadCommandLine } from './load.ts';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function configFile(text: string): string {
  const directory = mkdtempSync('/tmp/berth-config-');
  directories.push(directory);
  const path = join(directory, 'berth.toml');
  writeFileSync(path, text);
  return path;
}

describe('settings', () => {
  test('a flag wins over the file, the file over the default', () => {
    const config = configFile('root = "/from/file"\nrun_dir = "/run/file"\n[log]\nlevel = "warn"\n');
    const { settings } = loadCommandLine(['--config', config, '--root', '/from/flag'], 'serve');
    expect(settings).toMatchObject({
      root: '/from/flag',
      runDir: '/run/file',
      logLevel: 'warn',
      egress: 'internet',
    });
  });

  test.each([
    ['[dind]\nallow_privileged = true', true],
    ['[dind]\nallow_privileged = false', false],
    ['', undefined],
  ])('allow_privileged has three states: %j', (text, expected) => {
    expect(loadCommandLine(['--config', configFile(text)], 'serve').settings.allowPrivileged).toBe(expected);
  });

  test('the snapshotter is the name of a plugin', () => {
    const snapshotterOf = (text: string): string =>
      loadCommandLine(['--config', configFile(text)], 'serve').settings.snapshotter;
    expect(snapshotterOf('')).toBe('overlayfs');
    expect(snapshotterOf('[containerd]\nsnapshotter = "stargz"')).toBe('stargz');
    expect(() => snapshotterOf('[containerd]\nsnapshotter = "a/b"')).toThrow(
      'containerd.snapshotter is the name of a plugin, not "a/b"',
    );
  });

  test('allow_privileged may be a list of rules', () => {
    const file = configFile(`
[[dind.allow_privileged]]
image = "moby/buildkit"
privileged = true
[[dind.allow_privileged]]
image = "kindest/node:v1.*"
capabilities = ["sys_admin"]
devices = ["/dev/fuse"]
security_opt = ["seccomp=unconfined"]
`);
    expect(loadCommandLine(['--config', file], 'serve').settings.allowPrivileged).toEqual([
      { image: 'moby/buildkit', privileged: true, capabilities: [], devices: [], securityOptions: [] },
      {
        image: 'kindest/node:v1.*',
        privileged: false,
        capabilities: ['CAP_SYS_ADMIN'],
        devices: ['/dev/fuse'],
        securityOptions: ['seccomp=unconfined'],
      },
    ]);
  });

  test.each([
    ['an unknown key', 'allow_privileged = true', 'unknown key allow_privileged'],
    ['an unknown table', '[dnid]\nallow_privileged = true', 'unknown key dnid.allow_privileged'],
    [
      'a string for a boolean',
      '[dind]\nallow_privileged = "true"',
      'dind.allow_privileged must be true or false, or a list of rules',
    ],
    [
      'a rule without an image',
      '[[dind.allow_privileged]]\nprivileged = true',
      'dind.allow_privileged[0].image',
    ],
    [
      'a rule that allows nothing',
      '[[dind.allow_privileged]]\nimage = "a"',
      'dind.allow_privileged[0] allows nothing',
    ],
    [
      'a rule with an unknown key',
      '[[dind.allow_privileged]]\nimage = "a"\nprivilege = true',
      'unknown key dind.allow_privileged[0].privilege',
    ],
    [
      'a rule about hosts by pattern',
      '[[dind.allow_privileged]]\nimage = "*.org/a"\nprivileged = true',
      "a registry's host must be written out",
    ],
    [
      'a rule with an unknown capability',
      '[[dind.allow_privileged]]\nimage = "a"\ncapabilities = ["NOPE"]',
      'unknown capability "NOPE"',
    ],
    [
      'a rule with a device elsewhere',
      '[[dind.allow_privileged]]\nimage = "a"\ndevices = ["/etc/x"]',
      '"/etc/x" is no path below /dev',
    ],
    ['a rule that is none', '[dind]\nallow_privileged = ["a"]', 'must be a table with an image'],
    ['a fence of many words', '[dind]\nfence = "no fence"', 'dind.fence is one word'],
    ['a pattern that is none', '[dind]\nneutralise = [""]', 'dind.neutralise: ""'],
    ['a switch that is none', '[api]\ncontainer = true', 'unknown key api.container'],
    ['a switch that is no boolean', '[api]\nexec = 1', 'api.exec must be true or false'],
    ['a relative root', 'root = "var/lib"', 'root must be an absolute path'],
    [
      'a negative size',
      '[containers]\nlog_max_bytes = -1',
      'containers.log_max_bytes must be a positive whole number',
    ],
    [
      'a list with a number',
      '[registries]\ninsecure = ["a", 1]',
      'registries.insecure must be a list of strings',
    ],
    [
      'a buildkitd in the network',
      '[build]\nbuildkitd = "tcp://127.0.0.1:1234"',
      'build.buildkitd is unix://',
    ],
    ['no TOML at all', 'root = ', 'berth.toml'],
    ['a prototype name', '__proto__ = 1', 'unknown key'],
  ])('%s is an error that names it', (_name, text, message) => {
    expect(() => loadCommandLine(['--config', configFile(text)], 'serve')).toThrow(message);
  });

  test('a named file that is not there is an error', () => {
    expect(() => loadCommandLine(['--config', '/no/such/file'], 'serve')).toThrow('/no/such/file');
  });
});

describe('a daemon beside berth', () => {
  test.each(['unix:///run/b.sock', '/run/b.sock'])('a buildkitd at %s', (place) => {
    const path = configFile(`[build]\nbuildkitd = "${place}"\n`);
    expect(loadCommandLine(['--config', path], 'serve').settings.buildkitd).toBe('/run/b.sock');
  });
});

describe('flags', () => {
  test.each([
    [['--network', 'bridge'], 'network is isolated, host or the path'],
    [['--host-platform', 'beos'], 'host-platform is linux, darwin or windows'],
    [['--egress', 'some'], 'egress is internet, all or none'],
    [['--cgroup-parent', '/a/../b'], 'cgroup-parent is an absolute path'],
    [['--log-level', 'loud'], 'log-level is'],
    [['--no-such-flag'], "Unknown option '--no-such-flag'"],
    [['stray'], 'stray'],
    [['--image', 'x'], "Unknown option '--image'"],
  ])('%j is refused', (args, message) => {
    expect(() => loadCommandLine(args, 'serve')).toThrow(message);
  });

  test('a path of a network namespace', () => {
    expect(loadCommandLine(['--network', '/run/netns/x'], 'serve').settings.network).toEqual({
      kind: 'path',
      path: '/run/netns/x',
    });
  });
});

describe('the command of berth run', () => {
  test.each([
    { args: ['sh', '-c', 'exit 1'], command: ['sh', '-c', 'exit 1'] },
    { args: ['--', '--odd'], command: ['--odd'] },
    { args: ['--root', '/r', 'ls', '--root', '/x'], command: ['ls', '--root', '/x'] },
    { args: ['-e', 'A=b', '-v', '/a:/b', '--image=i', 'true'], command: ['true'] },
    { args: ['--root', '/r'], command: [] },
  ])('$args', ({ args, command }) => {
    expect(loadCommandLine(args, 'run').command).toEqual(command);
  });

  test('its options', () => {
    const { image, volumes, env } = loadCommandLine(
      ['--image', 'i', '-v', '/a:/b', '-v', '/c:/d:ro', '-e', 'A=b', 'x'],
      'run',
    );
    expect({ image, volumes, env }).toEqual({ image: 'i', volumes: ['/a:/b', '/c:/d:ro'], env: ['A=b'] });
  });
});

describe('remote mode and the environment file', () => {
  test.each([
    ['tcp://127.0.0.1:2376', { host: '127.0.0.1', port: 2376 }],
    ['tcp://[::1]:0', { host: '::1', port: 0 }],
  ])('--listen %s', (text, expected) => {
    expect(loadCommandLine(['--listen', text], 'serve').settings.listen).toEqual(expected);
  });

  test.each([
    ['--listen', 'unix:///x'],
    ['--listen', 'tcp://127.0.0.1'],
    ['--listen', 'tcp://example.test:2376'],
    ['--listen', 'tcp://127.0.0.1:70000'],
    ['--listen', 'tcp://0.0.0.0:2376'],
    ['--listen', 'tcp://[::]:2376'],
    ['--env-format', 'github'],
    ['--env-format', 'yaml', '--env-file', '/x'],
  ])('%s %s is refused', (...args) => {
    expect(() => loadCommandLine(args, 'serve')).toThrow(args[0].slice(2));
  });

  test('are for serve alone', () => {
    expect(() => loadCommandLine(['--listen', 'tcp://127.0.0.1:1', 'true'], 'run')).toThrow('--listen');
  });

  test('the format is dotenv where none is named', () => {
    expect(loadCommandLine(['--env-file', '/x'], 'serve').envFile).toEqual({ path: '/x', format: 'dotenv' });
  });
});
