import { expect, test } from 'vitest';
import { renderConformance } from '../../scripts/document-differences.ts';
import { INTENDED_DIFFERENCES } from '../differential/intended.ts';

test('docs/conformance.md lists the intended differences of the tests (npm run docs writes it)', async () => {
  const { current, wanted } = await renderConformance();
  expect(current).toBe(wanted);
}, 30_000);

test('the intended differences fit on one page', () => {
  expect(INTENDED_DIFFERENCES.length).toBeLessThanOrEqual(55);
  for (const { about, why } of INTENDED_DIFFERENCES)
    expect(`${about} ${why}`.length, about).toBeLessThanOrEqual(110);
});
