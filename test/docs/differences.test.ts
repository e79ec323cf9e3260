import { expect, test } from 'vitest';
import { renderConformance } from '../../scripts/document-differences.ts';

test('docs/conformance.md lists the intended differences of the tests (npm run docs writes it)', async () => {
  const { current, wanted } = await renderConformance();
  expect(current).toBe(wanted);
}, 30_000);
