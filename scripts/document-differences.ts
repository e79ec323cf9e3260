import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { INTENDED_DIFFERENCES } from '../test/differential/intended.ts';

// Writes the list of docs/conformance.md from the one that the differential tests go by.

const documentFile = join(resolve(import.meta.dirname, '..'), 'docs/conformance.md');
const begin = '<!-- differences: begin (npm run docs) -->';
const end = '<!-- differences: end -->';

/** docs/conformance.md as it is, and as it is with the list of intended differences that there is now. */
export async function renderConformance(): Promise<{ readonly current: string; readonly wanted: string }> {
  const current = await readFile(documentFile, 'utf8');
  const from = current.indexOf(begin);
  const to = current.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/conformance.md has no block ${begin} … ${end}`);
  const rows = INTENDED_DIFFERENCES.map(({ about, why }) => `| ${about} | ${why} |`);
  const table = ['| What | How it differs |', '| --- | --- |', ...rows].join('\n');
  const wanted = `${current.slice(0, from)}${begin}\n\n${table}\n\n${current.slice(to)}`;
  const options = { ...(await resolveConfig(documentFile)), parser: 'markdown' };
  return { current, wanted: await format(wanted, options) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { wanted } = await renderConformance();
  await writeFile(documentFile, wanted);
}
