import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { API_SWITCHES } from '../../src/config/api-switches.ts';
import { loadCommandLine } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/schema.ts';

const shipped = resolve(import.meta.dirname, '../../config/berth.toml');
const examples: readonly (keyof Settings)[] = [
  'allowPrivileged',
  'allowedRegistries',
  'buildkitd',
  'api',
  'cacheScope',
  'fence',
  'neutralise',
  'containerd',
  'cpus',
  'hostPlatform',
  'memoryBytes',
  'registriesDir',
  'registryCredentials',
];

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'config-'));
});

afterEach(() => rm(directory, { recursive: true }));

async function settingsFrom(text: string): Promise<Settings> {
  const file = join(directory, 'berth.toml');
  await writeFile(file, text);
  return loadCommandLine(['--config', file], 'serve').settings;
}

function withoutExamples(settings: Settings): object {
  const isExample = (name: string): boolean => examples.some((example) => example === name);
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !isExample(name)));
}

test('the shipped configuration changes nothing', async () => {
  expect(await settingsFrom(await readFile(shipped, 'utf8'))).toEqual(await settingsFrom(''));
});

test('the keys it shows are known, and their values are the defaults or said to be examples', async () => {
  const text = (await readFile(shipped, 'utf8')).replaceAll(/^#(?=[a-z_]+ = )/gm, '');
  const shown = withoutExamples(await settingsFrom(text));
  const defaults = withoutExamples(await settingsFrom(''));
  expect(shown).toEqual(defaults);
});

test('it shows every key that is known', async () => {
  const source = await readFile(resolve(import.meta.dirname, '../../src/config/config-file.ts'), 'utf8');
  const known = [
    ...[...source.matchAll(/^ {2}'?([a-z_.]+)'?: \{ setting:/gm)].map(([, key]) => key),
    ...[...new Set(API_SWITCHES.values())].map((name) => `api.${name}`),
  ];
  const shown: string[] = [];
  let table = '';
  for (const line of (await readFile(shipped, 'utf8')).split('\n')) {
    const [, name] = /^\[([a-z]+)\]$/.exec(line) ?? [];
    if (name !== undefined) table = `${name}.`;
    const [, key] = /^#([a-z_]+) = /.exec(line) ?? [];
    if (key !== undefined) shown.push(`${table}${key}`);
  }
  expect(known.length).toBeGreaterThan(0);
  expect(shown.sort()).toEqual(known.sort());
});
