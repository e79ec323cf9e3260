import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Loads the entry as bin/berth does; answers which scripts V8 has compiled anew. */
async function findRefused(flags: readonly string[]): Promise<readonly string[]> {
  const program = `
    import { createBundleLoader } from ${JSON.stringify(pathToFileURL(join(ROOT, 'bin/load-bundle.cjs')).href)};
    const { load, scripts } = createBundleLoader();
    load(${JSON.stringify(join(ROOT, 'dist/cli/main.js'))});
    const refused = [...scripts].filter(([, script]) => script.cachedDataRejected !== false);
    console.log(JSON.stringify({ loaded: scripts.size, refused: refused.map(([name]) => name) }));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    '--input-type=module',
    '-e',
    program,
  ]);
  const { loaded, refused } = JSON.parse(stdout) as { loaded: number; refused: string[] };
  expect(loaded).toBeGreaterThan(0);
  return refused;
}

test('V8 takes the compiled code of the build, with the flags of bin/berth', async () => {
  const [, flags = ''] =
    / node (.*) --$/m.exec((await readFile(join(ROOT, 'bin/berth'), 'utf8')).split('\n')[0] ?? '') ?? [];
  expect(await findRefused(flags.split(' '))).toEqual([]);
});

test('the bundle loads without it, too', async () => {
  expect(await findRefused(['--no-lazy'])).not.toEqual([]);
});
