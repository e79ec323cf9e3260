import { expect, it } from 'vitest';
import { decodeJobContainer } from './job-container-body.ts';

const decode = (body: string): unknown => decodeJobContainer(Buffer.from(body));

it.each([
  ['{"pid":12}', { pid: 12 }],
  ['{"namespace":"k8s.io","id":"abc"}', { namespace: 'k8s.io', id: 'abc' }],
])('%s', (body, expected) => {
  expect(decode(body)).toEqual(expected);
});

it.each([
  '',
  '{}',
  '[]',
  '{"pid":0}',
  '{"pid":-1}',
  '{"pid":1.5}',
  '{"pid":"1"}',
  '{"pid":2147483648}',
  '{"id":"abc"}',
  '{"namespace":"x"}',
  '{"pid":1,"id":"abc"}',
  '{"pid":1,"pid":2}',
  '{"pid":1,"rootfs":"/"}',
])('%s is refused', (body) => {
  expect(() => decode(body)).toThrow(expect.objectContaining({ kind: 'InvalidArgument' }));
});
