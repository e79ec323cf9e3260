import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import type { Route } from '../src/api/http/route.ts';

// Writes the table of endpoints in README.md from the route tables of src/api, so that it cannot tell anything else.

const root = resolve(import.meta.dirname, '..');
const readmeFile = join(root, 'README.md');
const begin = '<!-- endpoints: begin (npm run docs) -->';
const end = '<!-- endpoints: end -->';

interface DocumentedRoute {
  readonly route: Route;
  /** The folder of src/api whose routes.ts has it. */
  readonly folder: string;
}

/** README.md as it is, and as it is with the table of the routes that src/api has now. */
export async function renderReadme(): Promise<{ readonly current: string; readonly wanted: string }> {
  const current = await readFile(readmeFile, 'utf8');
  const from = current.indexOf(begin);
  const to = current.indexOf(end);
  if (from === -1 || to < from) throw new Error(`README.md has no block ${begin} … ${end}`);
  const table = renderTable(await findRoutes());
  const wanted = `${current.slice(0, from)}${begin}\n\n${table}\n\n${current.slice(to)}`;
  return {
    current,
    wanted: await format(wanted, { ...(await resolveConfig(readmeFile)), parser: 'markdown' }),
  };
}

async function findRoutes(): Promise<DocumentedRoute[]> {
  const api = join(root, 'src/api');
  const found: DocumentedRoute[] = [];
  for (const folder of (await readdir(api)).sort()) {
    const file = join(api, folder, 'routes.ts');
    if (!existsSync(file)) continue;
    const exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    for (const value of Object.values(exported)) {
      if (Array.isArray(value)) found.push(...(value as Route[]).map((route) => ({ route, folder })));
    }
  }
  return found;
}

function renderTable(routes: readonly DocumentedRoute[]): string {
  const rows = routes.map(({ route, folder }) => {
    const since = route.minApiVersion ?? '';
    const path = route.path.replaceAll(/:(\w+)\*?/g, '{$1}');
    return `| ${route.method} | \`${path}\` | ${since} | \`src/api/${folder}\` |`;
  });
  return ['| Method | Path | Since API | Folder |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { wanted } = await renderReadme();
  await writeFile(readmeFile, wanted);
}
