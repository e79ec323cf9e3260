import { describe, expect, it } from 'vitest';

import type { VolumeCreateRequest } from '../../wire/volume.ts';
import { decodeVolume } from './decode-volume.ts';

function decode(body: string): VolumeCreateRequest {
  return decodeVolume(Buffer.from(body)).request;
}

describe('decodeVolume', () => {
  it('reads what clients send, with names that are data', () => {
    const body =
      '{"Name":"v1","Driver":"local","DriverOpts":{},"Labels":{"__proto__":"x","a":"b"},"ClusterVolumeSpec":null}';
    const { labels, ...rest } = decode(body);
    expect(rest).toEqual({ name: 'v1', driver: 'local', driverOpts: {}, clusterVolumeSpec: false });
    expect(Object.entries(labels ?? {})).toEqual([
      ['__proto__', 'x'],
      ['a', 'b'],
    ]);
  });

  it('tells what is absent from what is empty', () => {
    expect(decode('{}')).toEqual({
      name: '',
      driver: '',
      driverOpts: null,
      labels: null,
      clusterVolumeSpec: false,
    });
  });

  it('asks nothing of the place that an inspected volume has', () => {
    const body = '{"Name":"v1","Driver":"local","Mountpoint":"/var/lib/docker/volumes/v1"}';
    const { request, ignored } = decodeVolume(Buffer.from(body));
    expect(request).toMatchObject({ name: 'v1', driver: 'local' });
    expect(ignored).toEqual(['Mountpoint']);
  });

  it.each([
    ['', 'EOF'],
    ['{"Name":7}', 'cannot unmarshal number 7 into Go struct field CreateOptions.Name of type string'],
    ['{"Labels":{"a":1}}', 'cannot unmarshal number 1'],
    ['{"Labels":["a"]}', 'cannot unmarshal array'],
    ['{"Name":"a\\u0000b"}', 'NUL'],
    ['{"Name":"v1"}{"Name":"v2"}', 'after'],
    ['{"name":"v1"}', 'names are case-sensitive'],
    ['{"MountOptions":"bind"}', 'unknown field'],
  ])('refuses %j', (body, words) => {
    expect(() => decode(body)).toThrow(expect.objectContaining({ kind: 'InvalidArgument' }));
    expect(() => decode(body)).toThrow(words);
  });
});
