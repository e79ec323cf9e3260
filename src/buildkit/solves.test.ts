import { expect, test } from 'vitest';
import type { SolveRequest } from './generated/control.ts';
import { createSolves } from './solves.ts';

test('names that no build ever came for make room for builds, and who waits for them is told', async () => {
  const solves = createSolves();
  const waiting = solves.get('never-0');
  for (let index = 1; index < 64; index += 1) solves.get(`never-${index}`);
  expect(solves.get('real')).not.toBe(waiting);
  await expect(waiting.answer.promise).rejects.toMatchObject({ kind: 'NotFound' });
});

test('builds that were asked for stay, and there are only so many', () => {
  const solves = createSolves();
  for (let index = 0; index < 64; index += 1) solves.get(`b${index}`).asked.resolve({} as SolveRequest);
  expect(() => solves.get('one more')).toThrow('too many builds at once');
});
