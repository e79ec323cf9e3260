import { describe, expect, test } from 'vitest';
import { parseImageConfig } from './image-config.ts';

const diffId = `sha256:${'0'.repeat(64)}`;
const rootfs = { type: 'layers', diff_ids: [diffId] };
const parse = (value: unknown): ReturnType<typeof parseImageConfig> =>
  parseImageConfig(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

describe('parseImageConfig', () => {
  test('fills what the image does not say', () => {
    expect(parse({ architecture: 'amd64', os: 'linux', rootfs })).toMatchObject({
      platform: { os: 'linux', architecture: 'amd64', variant: '' },
      created: '',
      diffIds: [diffId],
      config: {
        user: '',
        env: [],
        entrypoint: undefined,
        cmd: undefined,
        labels: {},
        healthcheck: undefined,
      },
    });
  });

  test('reads null as absent, and a plain string where a list is meant', () => {
    const { config } = parse({ rootfs, config: { Env: null, Cmd: 'sh', Entrypoint: [], Labels: null } });
    expect(config).toMatchObject({ env: [], cmd: ['sh'], entrypoint: [], labels: {} });
  });

  test('takes a label named __proto__ for a label', () => {
    const { config } = parse(`{"rootfs":{"type":"layers"},"config":{"Labels":{"__proto__":"x"}}}`);
    expect(Object.entries(config.labels)).toEqual([['__proto__', 'x']]);
    expect(parse({ rootfs, config: { Labels: {} } }).config.labels['x']).toBeUndefined();
  });

  test.each([
    ['no JSON', 'x'],
    ['no rootfs', {}],
    ['another rootfs', { rootfs: { type: 'zip', diff_ids: [] } }],
    ['diff ids that are none', { rootfs: { type: 'layers', diff_ids: ['x'] } }],
    ['10 000 layers', { rootfs: { type: 'layers', diff_ids: Array.from({ length: 10_000 }, () => diffId) } }],
    ['environment with numbers', { rootfs, config: { Env: [1] } }],
    ['a user that is an object', { rootfs, config: { User: {} } }],
    ['labels that are objects', { rootfs, config: { Labels: { a: {} } } }],
    ['a healthcheck with a negative time', { rootfs, config: { Healthcheck: { Interval: -1 } } }],
    ['a time that is none', { rootfs, created: 'yesterday' }],
    ['history that is no list', { rootfs, history: {} }],
  ])('refuses %s', (_what, document) => {
    expect(() => parse(document)).toThrow(expect.objectContaining({ kind: 'InvalidArgument' }));
  });

  test('refuses more than 8 MiB without reading it', () => {
    expect(() => parseImageConfig(new Uint8Array(9 * 1024 * 1024))).toThrow('too large');
  });
});
