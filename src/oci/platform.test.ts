import { describe, expect, test } from 'vitest';
import { formatPlatform, parsePlatform, platformDistance } from './platform.ts';

const host = { os: 'linux', architecture: 'amd64', variant: '' };
const of = (text: string): ReturnType<typeof parsePlatform> => parsePlatform(text, host);

describe('parsePlatform', () => {
  test.each([
    ['linux', 'linux/amd64'],
    ['arm64', 'linux/arm64'],
    ['x86_64', 'linux/amd64'],
    ['aarch64', 'linux/arm64'],
    ['linux/amd64', 'linux/amd64'],
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/arm/5', 'linux/arm/v5'],
    ['linux/armhf', 'linux/arm/v7'],
    ['windows/amd64', 'windows/amd64'],
    ['s390x', 'linux/s390x'],
    ['macos', 'darwin/amd64'],
  ])('reads %s as %s', (text, shown) => {
    expect(formatPlatform(of(text))).toBe(shown);
  });

  test.each(['', '/', 'linux/', 'linux//v7', 'a/b/c/d', 'linux/am d64', 'nonsense', '../x', '__proto__'])(
    'refuses %j',
    (text) => {
      expect(() => of(text)).toThrow(expect.objectContaining({ kind: 'InvalidArgument' }));
    },
  );
});

test.each([
  ['/', '"" is an invalid OS component of "/"'],
  ['linux/a b', '"a b" is an invalid component of "linux/a b"'],
  ['a/b/c/d', '"a/b/c/d": cannot parse platform specifier: invalid argument'],
  ['nintendo64', '"nintendo64": unknown operating system or architecture'],
])('what is wrong with %j is told in words of dockerd', (text, message) => {
  expect(() => of(text)).toThrow(message);
});

describe('platformDistance', () => {
  test.each([
    ['linux/amd64', 'linux/amd64', 0],
    ['linux/amd64', 'linux/arm64', undefined],
    ['linux/amd64', 'windows/amd64', undefined],
    ['linux/arm64', 'linux/arm64/v8', 0],
    ['linux/arm/v7', 'linux/arm/v6', 1],
    ['linux/arm/v7', 'linux/arm/v5', 2],
    ['linux/arm/v6', 'linux/arm/v7', undefined],
    ['linux/amd64', 'linux/amd64/v3', undefined],
    ['linux/amd64/v3', 'linux/amd64', 2],
  ])('from %s to %s is %s', (wanted, offered, distance) => {
    expect(platformDistance(of(wanted), of(offered))).toBe(distance);
  });
});
