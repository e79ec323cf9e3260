// Bundles src/cli/main.ts into dist/: one small entry, and a chunk for each part that is imported when first needed.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

const outdir = new URL('../dist', import.meta.url).pathname;

await rm(outdir, { recursive: true, force: true });
const result = await build({
  absWorkingDir: new URL('..', import.meta.url).pathname,
  entryPoints: ['src/cli/main.ts'],
  outbase: 'src',
  outdir,
  bundle: true,
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node20',
  // A native addon finds its library relative to its own directory.
  external: ['koffi'],
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
  // CommonJS dependencies call require for node's own modules; an ES module has none.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

const scripts = Object.entries(result.metafile.outputs).filter(([name]) => name.endsWith('.js'));
const kilobytes = Math.round(scripts.reduce((sum, [, { bytes }]) => sum + bytes, 0) / 1024);
console.log(`built dist: ${scripts.length} files, ${kilobytes} kB`);
