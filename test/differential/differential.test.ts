import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBerth, type Berth } from '../support/e2e-berth.ts';
import { compareAnswers, type Difference } from './compare.ts';
import { runTable, type Outcome } from './daemon.ts';
import { imageArchive } from './fixtures.ts';
import { startDockerd, type Dockerd } from './dockerd.ts';
import { openRegistries, type Registries } from './registries.ts';
import { INTENDED_DIFFERENCES, type IntendedDifference } from './intended.ts';
import { REQUEST_TABLES } from './request-tables.ts';
import type { SentRequest } from './request.ts';

// The same requests to dockerd and to berth: every status, header, member, type and text that is not the same is
// a failure, or in the list of intended differences.

let dockerd: Dockerd | undefined;
let berth: Berth | undefined;
let registries: Registries | undefined;
const used = new Set<IntendedDifference>();

beforeAll(async () => {
  registries = await openRegistries();
  const args = ['--registries', registries.registriesDirectory];
  [dockerd, berth] = await Promise.all([startDockerd(), startBerth({ args })]);
  await registries.startFor(dockerd);
  const archive = await imageArchive();
  const load = [{ ask: 'POST /images/load?quiet=1', raw: archive }];
  await Promise.all([runTable(dockerd.socket, load), runTable(berth.ready.socket, load)]);
});

afterAll(async () => {
  const [, end] = await Promise.all([dockerd?.stop(), berth?.stop()]);
  await registries?.stop();
  if (end?.code !== 0) throw new Error(`the job did not end clean: ${JSON.stringify(end)}`);
});

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

function isIntended({ label }: SentRequest, { at, dockerd: theirs, berth: ours }: Difference): boolean {
  const found = INTENDED_DIFFERENCES.filter(
    (one) =>
      one.asks.some((ask) => matches(ask, label)) &&
      one.at.some((place) => matches(place, at)) &&
      matches(one.dockerd ?? '*', theirs) &&
      [one.berth ?? '*'].flat().some((pattern) => matches(pattern, ours)),
  );
  for (const one of found) used.add(one);
  return found.length > 0;
}

function describeDifferences(
  request: SentRequest,
  [oracle, ours]: readonly [Outcome, Outcome | undefined],
): string[] {
  if (!ours) return [`${request.label}: was not sent to both`];
  if ('failure' in oracle) return [`${request.label}: dockerd: ${oracle.failure}`];
  if ('failure' in ours) return [`${request.label}: berth: ${ours.failure}`];
  return compareAnswers(oracle, ours)
    .filter((difference) => !isIntended(request, difference))
    .map(
      ({ at, ...both }) =>
        `${request.label}\n    ${at}\n      dockerd ${both.dockerd}\n      berth   ${both.berth}`,
    );
}

describe('berth answers as dockerd does', () => {
  test.each(REQUEST_TABLES)('$title', async ({ requests }) => {
    if (!dockerd || !berth) throw new Error('the daemons have not started');
    const [oracle, ours] = await Promise.all([
      runTable(dockerd.socket, requests),
      runTable(berth.ready.socket, requests),
    ]);
    const ourOutcomes = [...ours.values()];
    const differences = [...oracle].flatMap(([request, outcome], index) =>
      request.quiet === true ? [] : describeDifferences(request, [outcome, ourOutcomes[index]]),
    );
    expect(differences.join('\n')).toBe('');
  });

  test('every intended difference is needed', () => {
    const unused = INTENDED_DIFFERENCES.filter((one) => !used.has(one));
    expect(unused).toEqual([]);
  });
});
