import { expect, test } from 'vitest';
import { decodeSolve } from './decode-solve.ts';

type Options = Readonly<Record<string, string>>;

function decode(options: Options, exporterOptions: Options = {}): ReturnType<typeof decodeSolve> {
  return decodeSolve({ options, exporter: 'moby', exporterOptions, entitlements: [] }, '1.51');
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

test('what of an output has no effect is told, and nothing else is', () => {
  expect(decode({}, { name: 'a', push: 'true', unpack: 'false' }).warnings).toEqual([]);
  expect(decode({}, { 'annotation.a': 'b', compression: 'zstd' }).warnings).toEqual([
    'annotation.a is not kept: images of this daemon have labels, and no annotations',
    'the option compression of --output has no effect with this daemon',
  ]);
  expect(() => decode({}, { 'push-by-digest': 'true' })).toThrow('push-by-digest is not supported');
});

test.each([{ 'shm-size': 'much' }, { contextkey: 'other' }, { dockerfilekey: 'other' }])(
  '%o is refused',
  (options) => {
    expect(() => decode(options)).toThrow();
  },
);

test('directories by their usual names are what a build has anyway', () => {
  expect(decode({ contextkey: 'context', dockerfilekey: 'dockerfile' })).toEqual(decode({}));
});
