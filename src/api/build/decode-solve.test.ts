import { expect, test } from 'vitest';
import { decodeSolve } from './decode-solve.ts';

function decode(options: Readonly<Record<string, string>>): ReturnType<typeof decodeSolve> {
  return decodeSolve({ options, exporter: 'moby', exporterOptions: {}, entitlements: [] }, '1.51');
}

test('what buildx says of the git checkout that it builds in does not change the build', () => {
  const checkout = {
    'vcs:source': 'https://git.example.test/shop.git',
    'vcs:revision': '4d7c1f0b6a1e8e7a53a0c6a4f3e86a5f0e0f2c11-dirty',
    'vcs:localdir:context': 'services/shop',
    'vcs:localdir:dockerfile': 'services/shop',
  };
  expect(decode({ filename: 'Dockerfile', ...checkout })).toEqual(decode({ filename: 'Dockerfile' }));
});

test('an option that nobody knows is refused by its name', () => {
  expect(() => decode({ 'vcs-like': 'x' })).toThrow('the build option vcs-like is not supported');
});
