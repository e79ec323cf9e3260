// Bundles src/cli/main.ts into dist/: one small entry, and a chunk for each part that is imported when first needed.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

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
      sourcemap: true,
      logLevel: 'warning',
      // CommonJS dependencies call require for node's own modules; an ES module has none.
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
    });
    return outputFiles;
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    return undefined;
  }
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
  const scripts = files.filter(({ path }) => path.endsWith('.js'));
  const kilobytes = Math.round(scripts.reduce((sum, { contents }) => sum + contents.length, 0) / 1024);
  console.log(`build: dist has ${scripts.length} scripts, ${kilobytes} kB`);
}
