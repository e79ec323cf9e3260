import { describe, expect, it } from 'vitest';
import { parseReference, recordName } from '../oci/reference.ts';
import { holdsForImage, readsLike, refuseImagePattern, type ImageFacts } from './image-pattern.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function pulled(...names: readonly string[]): ImageFacts {
  return { askedName: undefined, isPresent: true, pulledNames: names.map(full), digests: [DIGEST] };
}

function full(reference: string): string {
  return recordName(parseReference(reference));
}

describe('a pattern by name', () => {
  it.each([
    ['moby/buildkit', 'moby/buildkit:buildx-stable-1'],
    ['moby/buildkit', `moby/buildkit@${DIGEST}`],
    ['moby/buildkit:*', 'moby/buildkit:v0.20'],
    ['moby/buildkit:v0.*', 'docker.io/moby/buildkit:v0.20'],
    ['docker.io/moby/buildkit', 'moby/buildkit'],
    ['index.docker.io/moby/buildkit', 'moby/buildkit'],
    ['docker', 'docker:dind'],
    ['docker.io/docker:*dind', 'docker:28-dind'],
    ['kindest/*', 'kindest/node:v1.33'],
    ['ghcr.io/org/*/tool', 'ghcr.io/org/a/tool:1'],
    ['localhost:5000/a', 'localhost:5000/a:1'],
  ])('%s holds for %s', (pattern, name) => {
    expect(refuseImagePattern(pattern)).toBeUndefined();
    expect(holdsForImage(pattern, pulled(name))).toBe(true);
    expect(readsLike(pattern, { ...pulled(), askedName: full(name) })).toBe(true);
  });

  it.each([
    ['moby/buildkit', 'evil.example/moby/buildkit'],
    ['moby/buildkit', 'moby/buildkit2'],
    ['moby/buildkit', 'moby/buildkit/x'],
    ['moby/buildkit', 'x/moby/buildkit'],
    ['moby/buildkit:v1', 'moby/buildkit:v10'],
    ['moby/buildkit:v1', `moby/buildkit@${DIGEST}`],
    ['moby/buildkit:*', `moby/buildkit@${DIGEST}`],
    ['ghcr.io/org/tool', 'ghcrxio/org/tool'],
    ['kindest/*', 'kindest/a/b'],
    ['docker', 'user/docker'],
    ['localhost:5000/a', 'localhost:5001/a'],
  ])('%s does not hold for %s', (pattern, name) => {
    expect(holdsForImage(pattern, pulled(name))).toBe(false);
    expect(readsLike(pattern, { ...pulled(), askedName: full(name) })).toBe(false);
  });

  it('does not hold for a name that no registry gave', () => {
    expect(holdsForImage('moby/buildkit', { ...pulled(), askedName: full('moby/buildkit') })).toBe(false);
  });
});

describe('a pattern by digest', () => {
  it('holds for the content, whatever it is called', () => {
    for (const pattern of [DIGEST, `moby/buildkit@${DIGEST}`])
      expect(holdsForImage(pattern, pulled('other'))).toBe(true);
  });

  it('does not hold for other content of that name', () => {
    const other = { ...pulled('moby/buildkit'), digests: [`sha256:${'b'.repeat(64)}`] };
    expect(holdsForImage(`moby/buildkit@${DIGEST}`, other)).toBe(false);
  });
});

it.each([
  '',
  ' ',
  'a b',
  'moby/buildkit/',
  'moby//buildkit',
  '/moby/buildkit',
  'moby/buildkit@sha256:abc',
  '*.example.com/x',
  '*.*/x',
  'moby/buildkit@',
  '(a+)+',
])('%j is no pattern', (text) => {
  expect(refuseImagePattern(text)).toBeTypeOf('string');
});
