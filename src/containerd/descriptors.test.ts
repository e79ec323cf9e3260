import { expect, test } from 'vitest';
import { readMessage, readMethods } from './descriptors.ts';
import content from './generated/content.json' with { type: 'json' };

const SERVICE = 'containerd.services.content.v1.Content';

test('a method has its path and says what is streamed', () => {
  const { Info, List, Write } = readMethods(content, SERVICE);
  expect(Info).toMatchObject({ path: `/${SERVICE}/Info`, requestStream: false, responseStream: false });
  expect(List).toMatchObject({ requestStream: false, responseStream: true });
  expect(Write).toMatchObject({ requestStream: true, responseStream: true });
});

test('what a request says is what its receiver reads, and what it does not say is there by default', () => {
  const { Write } = readMethods(content, SERVICE);
  const sent = { action: 'COMMIT', total: 5_000_000_000, data: Buffer.from([1, 2]), labels: { a: 'b' } };
  const bytes = Write?.requestSerialize(sent) ?? Buffer.alloc(0);
  expect(Write?.requestDeserialize(bytes)).toEqual({ ...sent, ref: '', expected: '', offset: 0 });
});

test('a message that is absent is null', () => {
  const message = readMessage<unknown, unknown>(content, 'containerd.services.content.v1.InfoResponse');
  expect(message.deserialize(message.serialize({}))).toEqual({ info: null });
});

test('a name that the descriptor does not have is an error', () => {
  expect(() => readMethods(content, 'containerd.services.content.v1.Contents')).toThrow('no such');
  expect(() => readMessage(content, 'containerd.services.content.v1.Nothing')).toThrow('no such');
});
