import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

interface Rules {
  readonly forbidden: readonly { readonly name: string }[];
}

interface CruiseReport {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

const project = resolve(import.meta.dirname, '../..');
const configFile = join(project, '.dependency-cruiser.cjs');
const { forbidden } = createRequire(import.meta.url)(configFile) as Rules;

const value = (target: string): string => `import { thing } from '${target}';\nexport const used = thing;\n`;
const type = (target: string): string =>
  `import type { Thing } from '${target}';\nexport type Used = Thing;\n`;

/** One planted violation for every rule: the rule that must fire, the file it is planted in, its text. */
const planted: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['api-values', 'api/containers/a.ts', value('../../containerd/target.ts')],
  ['api-types', 'api/containers/b.ts', type('../../containerd/target.ts')],
  ['api-packages', 'api/containers/c.ts', value('@grpc/grpc-js')],
  ['engine-values', 'engine/containers/a.ts', value('../../containerd/target.ts')],
  ['engine-types', 'engine/containers/b.ts', type('../../api/target.ts')],
  ['engine-packages', 'engine/containers/c.ts', type('express')],
  ['policy-values', 'policy/a.ts', value('../wire/target.ts')],
  ['policy-types', 'policy/b.ts', type('../oci/target.ts')],
  ['policy-packages', 'policy/c.ts', value('pino')],
  ['policy-node', 'policy/d.ts', value('node:fs')],
  ['dockerfile-values', 'dockerfile/a.ts', value('../oci/target.ts')],
  ['dockerfile-types', 'dockerfile/b.ts', type('../wire/target.ts')],
  ['dockerfile-packages', 'dockerfile/c.ts', value('express')],
  ['dockerfile-node', 'dockerfile/d.ts', value('node:path')],
  ['oci-values', 'oci/a.ts', value('../policy/target.ts')],
  ['oci-types', 'oci/b.ts', type('../engine/target.ts')],
  ['oci-packages', 'oci/c.ts', value('protobufjs')],
  ['oci-node', 'oci/d.ts', value('node:path')],
  ['state-values', 'state/a.ts', value('../containerd/target.ts')],
  ['state-types', 'state/b.ts', type('../api/target.ts')],
  ['state-packages', 'state/c.ts', value('pino')],
  ['wire-values', 'wire/a.ts', value('../lib/target.ts')],
  ['wire-types', 'wire/b.ts', type('../lib/target.ts')],
  ['wire-packages', 'wire/c.ts', type('express')],
  ['wire-node', 'wire/d.ts', type('node:http')],
  ['lib-values', 'lib/a.ts', value('../errors.ts')],
  ['lib-types', 'lib/b.ts', type('../wire/target.ts')],
  ['lib-packages', 'lib/c.ts', value('tar-stream')],
  ['config-values', 'config/a.ts', value('../engine/target.ts')],
  ['config-types', 'config/b.ts', type('../engine/target.ts')],
  ['config-packages', 'config/c.ts', value('express')],
  ['archive-values', 'archive/a.ts', value('../rootfs/target.ts')],
  ['archive-types', 'archive/b.ts', type('../engine/target.ts')],
  ['archive-packages', 'archive/c.ts', value('koffi')],
  ['buildkit-values', 'buildkit/a.ts', value('../containerd/target.ts')],
  ['buildkit-types', 'buildkit/b.ts', type('../engine/target.ts')],
  ['buildkit-packages', 'buildkit/c.ts', value('tar-stream')],
  ['containerd-values', 'containerd/a.ts', value('../oci/target.ts')],
  ['containerd-types', 'containerd/b.ts', type('../engine/target.ts')],
  ['containerd-packages', 'containerd/c.ts', value('tar-stream')],
  ['host-values', 'host/a.ts', value('../wire/target.ts')],
  ['host-types', 'host/b.ts', type('../policy/target.ts')],
  ['host-packages', 'host/c.ts', value('@grpc/grpc-js')],
  ['logstore-values', 'logstore/a.ts', value('../stdio/target.ts')],
  ['logstore-types', 'logstore/b.ts', type('../api/target.ts')],
  ['logstore-packages', 'logstore/c.ts', value('tar-stream')],
  ['network-values', 'network/a.ts', value('../engine/target.ts')],
  ['network-types', 'network/b.ts', type('../policy/target.ts')],
  ['network-packages', 'network/c.ts', value('koffi')],
  ['registry-values', 'registry/a.ts', value('../containerd/target.ts')],
  ['registry-types', 'registry/b.ts', type('../containerd/target.ts')],
  ['registry-packages', 'registry/c.ts', value('tar-stream')],
  ['rootfs-values', 'rootfs/a.ts', value('../archive/target.ts')],
  ['rootfs-types', 'rootfs/b.ts', type('../archive/target.ts')],
  ['rootfs-packages', 'rootfs/c.ts', value('koffi')],
  ['stdio-values', 'stdio/a.ts', value('../logstore/target.ts')],
  ['stdio-types', 'stdio/b.ts', type('../logstore/target.ts')],
  ['stdio-packages', 'stdio/c.ts', value('@grpc/grpc-js')],
  ['errors.ts-values', 'errors.ts', value('./wire/target.ts')],
  ['errors.ts-types', 'errors.ts', type('./wire/target.ts')],
  ['errors.ts-packages', 'errors.ts', value('pino')],
  ['errors.ts-node', 'errors.ts', value('node:util')],
  ['version.ts-values', 'version.ts', value('./wire/target.ts')],
  ['version.ts-types', 'version.ts', type('./wire/target.ts')],
  ['version.ts-packages', 'version.ts', value('pino')],
  ['version.ts-node', 'version.ts', value('node:util')],
  ['logger.ts-values', 'logger.ts', value('./config/target.ts')],
  ['logger.ts-types', 'logger.ts', type('./engine/target.ts')],
  ['logger.ts-packages', 'logger.ts', value('express')],
  ['no-circular', 'engine/images/a.ts', value('./b.ts')],
  ['no-unresolvable', 'job/a.ts', value('./absent.ts')],
  ['only-host-spawns', 'network/d.ts', value('node:child_process')],
  ['source-knows-no-tests', 'job/b.ts', value('../../test/target.ts')],
  ['source-uses-no-dev-dependency', 'job/c.ts', value('vitest')],
  ['every-folder-has-a-layer', 'helpers/a.ts', value('../lib/target.ts')],
];

const permitted: readonly (readonly [file: string, text: string])[] = [
  ['engine/volumes/a.ts', type('../../containerd/target.ts')],
  ['engine/volumes/b.ts', value('../../policy/target.ts')],
  ['api/volumes/a.ts', value('express')],
  ['containerd/ok.ts', value('@grpc/grpc-js')],
  ['containerd/spawns.ts', value('../host/target.ts')],
  ['host/ok.ts', value('node:child_process')],
  ['oci/ok.ts', type('../policy/target.ts')],
  ['job/ok.ts', value('../containerd/target.ts')],
  ['engine/images/cycle-of-types-a.ts', type('./cycle-of-types-b.ts')],
  ['engine/images/cycle-of-types-b.ts', type('./cycle-of-types-a.ts')],
  ['logstore/ok.ts', type('../stdio/types.ts')],
  ['engine/images/ok.test.ts', value('../../containerd/target.ts')],
];

const dependencies = ['@grpc/grpc-js', 'express', 'koffi', 'pino', 'protobufjs', 'tar-stream'];

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { flag: 'a' });
}

async function plant(root: string): Promise<void> {
  const target = 'export type Thing = string;\nexport const thing = 1;\n';
  for (const name of [...dependencies, 'vitest']) {
    const folder = join(root, 'node_modules', name);
    await write(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    await write(join(folder, 'index.js'), 'exports.thing = 1;\n');
  }
  const asMap = (names: readonly string[]): object =>
    Object.fromEntries(names.map((name) => [name, '1.0.0']));
  const manifest = { name: 'planted', type: 'module', dependencies: asMap(dependencies) };
  await write(
    join(root, 'package.json'),
    JSON.stringify({ ...manifest, devDependencies: asMap(['vitest']) }),
  );
  await copyFile(join(project, 'tsconfig.json'), join(root, 'tsconfig.json'));
  const folders = ['api', 'archive', 'config', 'containerd', 'engine', 'host', 'lib', 'logstore', 'oci'];
  for (const name of [...folders, 'policy', 'registry', 'rootfs', 'state', 'stdio', 'wire']) {
    await write(join(root, 'src', name, 'target.ts'), target);
  }
  await write(join(root, 'src/stdio/types.ts'), target);
  await write(join(root, 'test/target.ts'), target);
  for (const [, file, text] of planted) await write(join(root, 'src', file), text);
  for (const [file, text] of permitted) await write(join(root, 'src', file), text);
  await write(join(root, 'src/engine/images/b.ts'), value('./a.ts'));
}

function cruise(root: string): Promise<CruiseReport> {
  const program = join(project, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [program, '--config', configFile, '--output-type', 'json', 'src', 'test'];
  return new Promise((settle, fail) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 }, (_error, stdout, stderr) => {
      // The exit code counts the violations; a run that failed has no JSON to show.
      if (stdout === '') fail(new Error(stderr));
      else settle(JSON.parse(stdout) as CruiseReport);
    });
  });
}

describe('import rules', () => {
  let root = '';
  let fired: ReadonlySet<string> = new Set();

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'layers-'));
    await plant(root);
    const report = await cruise(root);
    fired = new Set(report.summary.violations.map(({ from, rule }) => `${from} ${rule.name}`));
  }, 60_000);

  afterAll(() => rm(root, { recursive: true, force: true }));

  test.each(planted)('%s fires on a planted violation', (rule, file) => {
    expect(fired).toContain(`src/${file} ${rule}`);
  });

  test.each(permitted)('%s may import what it imports', (file) => {
    expect([...fired].filter((entry) => entry.startsWith(`src/${file} `))).toEqual([]);
  });

  test('every rule has a planted violation', () => {
    expect(planted.map(([rule]) => rule).sort()).toEqual(forbidden.map(({ name }) => name).sort());
  });
});
