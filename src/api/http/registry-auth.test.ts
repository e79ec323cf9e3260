import { describe, expect, test } from 'vitest';
import { decodeRegistryAuth } from './registry-auth.ts';

const auth = { username: 'us?>er', password: 'p~a?ss\u00fcword', serveraddress: 'registry.example' };
const decoded = {
  username: auth.username,
  password: auth.password,
  identityToken: '',
  registryToken: '',
  serverAddress: 'registry.example',
};
const bytes = Buffer.from(JSON.stringify(auth));
const standard = bytes.toString('base64');

describe('decodeRegistryAuth', () => {
  test.each([
    ['padded', standard],
    ['unpadded', standard.replaceAll('=', '')],
    ['of the URL alphabet', bytes.toString('base64url')],
    ['of the URL alphabet, padded', standard.replaceAll('+', '-').replaceAll('/', '_')],
    ['in lines', standard.replaceAll(/(.{20})/g, '$1\r\n')],
  ])('reads base64 %s', (_what, header) => {
    expect(decodeRegistryAuth(header)).toEqual(decoded);
  });

  test.each([
    undefined,
    '',
    'e30=',
    'e30',
    'bnVsbA==',
    'null',
    Buffer.from('{"username":""}').toString('base64'),
  ])('takes %j for nobody', (header) => {
    expect(decodeRegistryAuth(header)).toBeUndefined();
  });

  const encode = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

  test('splits the auth member at its first colon', () => {
    expect(decodeRegistryAuth(encode({ auth: encode('user:pass:word') }))).toMatchObject({
      username: 'user',
      password: 'pass:word',
    });
  });

  test("takes off what a secret's file had around it", () => {
    expect(decodeRegistryAuth(encode({ username: '\uFEFFuser\r\n', password: 'pass\n' }))).toMatchObject({
      username: 'user',
      password: 'pass',
    });
  });

  test('knows tokens', () => {
    expect(decodeRegistryAuth(encode({ identitytoken: 'i', registrytoken: 'r' }))).toMatchObject({
      identityToken: 'i',
      registryToken: 'r',
    });
  });

  test.each([
    ['no base64', '!!!'],
    ['no JSON', encode('{"password":"hunter2"')],
    ['a list', encode([])],
    ['a number as password', encode({ password: 2 })],
    ['100 kB', 'A'.repeat(100_000)],
  ])('refuses %s without repeating it', (_what, header) => {
    let caught: unknown;
    try {
      decodeRegistryAuth(header);
    } catch (error) {
      caught = error;
    }
    // Not even as a cause, which a log would print.
    expect(caught).toMatchObject({ kind: 'InvalidArgument', message: 'invalid X-Registry-Auth header' });
    expect(caught).not.toHaveProperty('cause');
  });
});
