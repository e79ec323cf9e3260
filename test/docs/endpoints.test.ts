import { expect, test } from 'vitest';
import { renderReadme } from '../../scripts/document-endpoints.ts';

test('the table of endpoints in README.md is that of the routes (npm run docs writes it)', async () => {
  const { current, wanted } = await renderReadme();
  expect(current).toBe(wanted);
}, 30_000);
