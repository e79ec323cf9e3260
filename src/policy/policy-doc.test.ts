import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { POLICY_DOC, renderPolicyDoc } from '../../scripts/generate-policy-doc.ts';

it('docs/policy.md says what the tables say', async () => {
  expect(readFileSync(POLICY_DOC, 'utf8')).toBe(await renderPolicyDoc());
});
