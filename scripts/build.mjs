// Bundles src/cli/main.ts into dist/: one small entry, and a chunk for each part that is imported when first needed.
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { build, transform } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outdir = join(root, 'dist');

/**
 * Express loads these for services that berth does not use: it reads bodies by itself (strictly), and serves no files.
 * They are 700 kB of source, most of it character sets, and 25 ms of a start.
 */
const leaveOutUnusedOfExpress = {
  name: 'leave out what is unused of express',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(body-parser|serve-static|send)$/ }, ({ path }) => ({
      path,
      namespace: 'left-out',
    }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
    // Prints for those who set DEBUG, and reads the environment for that; 50 ms of a loaded machine.
    onResolve({ filter: /^debug$/ }, ({ path }) => ({ path, namespace: 'no-debug' }));
    onLoad({ filter: /.*/, namespace: 'no-debug' }, () => ({ contents: 'module.exports = () => () => {};' }));
    // All media types there are: berth answers with its own, and the runner's socket with JSON.
    onResolve({ filter: /^mime-db$/ }, ({ path }) => ({ path, namespace: 'json-only' }));
    onLoad({ filter: /.*/, namespace: 'json-only' }, () => ({
      contents: "module.exports = { 'application/json': { charset: 'UTF-8', extensions: ['json'] } };",
    }));
  },
};

/** @returns the files of the bundle in memory, or undefined where esbuild has printed what is wrong. */
async function bundle() {
  try {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: ['src/cli/main.ts'],
      outbase: 'src',
      outdir,
      write: false,
      bundle: true,
      // 8 MiB less memory and a quarter less to parse; names stay, for stack traces.
      minifyWhitespace: true,
      minifySyntax: true,
      plugins: [leaveOutUnusedOfExpress],
      format: 'esm',
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      platform: 'node',
      target: 'node20',
      // A native addon finds its library relative to its own directory.
      external: ['koffi'],
      sourcemap: 'inline',
      logLevel: 'warning',
    });
    return (await Promise.all(outputFiles.map(toCommonJs))).flat();
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    return undefined;
  }
}

/** What V8 can have cached is scripts, not ES modules; bin/load-bundle.cjs loads them. */
async function toCommonJs({ path, text }) {
  const { code, map } = await transform(text, {
    sourcefile: path,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minifyWhitespace: true,
    minifySyntax: true,
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__moduleUrl' },
    sourcemap: 'external',
  });
  return [
    { path, contents: `${code}//# sourceMappingURL=${basename(path)}.map\n` },
    { path: `${path}.map`, contents: map },
  ];
}

/** Has V8 compile what is in dist, with the flags that it is to run with: it takes the result with the same ones only. */
async function writeCodeCache() {
  const [, flags = ''] = / node (.*) --$/m.exec(await readFile(join(root, 'bin/berth'), 'utf8')) ?? [];
  const { status } = spawnSync(
    process.execPath,
    [...flags.split(' '), join(root, 'scripts/code-cache.mjs')],
    {
      stdio: 'inherit',
    },
  );
  if (status !== 0) throw new Error(`scripts/code-cache.mjs ended with ${String(status)}`);
}

const files = await bundle();
if (files === undefined) {
  console.error('build: failed; dist is as it was');
  process.exitCode = 1;
} else {
  await rm(outdir, { recursive: true, force: true });
  for (const { path, contents } of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }
  await writeCodeCache();
  const scripts = files.filter(({ path }) => path.endsWith('.js'));
  const kilobytes = Math.round(scripts.reduce((sum, { contents }) => sum + contents.length, 0) / 1024);
  console.log(`build: dist has ${scripts.length} scripts, ${kilobytes} kB`);
}
