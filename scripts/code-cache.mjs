// Writes FILE.cache beside each script of dist/: what V8 makes of it, for bin/load-bundle.cjs. A part of the build.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBundleLoader } from '../bin/load-bundle.cjs';

const dist = join(import.meta.dirname, '../dist');
const { load, scripts } = createBundleLoader();
for (const name of readdirSync(dist, { recursive: true })) if (name.endsWith('.js')) load(join(dist, name));
// After all have run once: functions that are compiled by then are in it.
for (const [filename, script] of scripts) writeFileSync(`${filename}.cache`, script.createCachedData());
