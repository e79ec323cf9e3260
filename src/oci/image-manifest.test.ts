import { describe, expect, test } from 'vitest';
import { parseImageIndex, parseImageManifest, selectEntry } from './image-manifest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 10 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 10 };
const amd64 = { os: 'linux', architecture: 'amd64', variant: '' };

const bytes = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('parseImageManifest', () => {
  test('reads configuration and layers', () => {
    const manifest = parseImageManifest(
      bytes({ schemaVersion: 2, config, layers: [layer, layer] }),
      OCI_MANIFEST,
    );
    expect(manifest).toEqual({ config, layers: [layer, layer] });
  });

  test.each([{}, { schemaVersion: 0 }])(
    'reads one of OCI without a version, which dockerd does: %j',
    (version) => {
      const document = bytes({ ...version, config, layers: [layer] });
      expect(parseImageManifest(document, OCI_MANIFEST)).toEqual({ config, layers: [layer] });
      expect(() => parseImageManifest(document, DOCKER_MANIFEST)).toThrow('schemaVersion');
    },
  );

  test.each([
    ['no JSON', '{'],
    ['not UTF-8', Buffer.from([0xff, 0xfe])],
    ['null', 'null'],
    ['a list', '[]'],
    ['schema 2 as text', { schemaVersion: '2', config, layers: [] }],
    ['schema null', { schemaVersion: null, config, layers: [] }],
    ['schema 1', { schemaVersion: 1, config, layers: [] }],
    ['two kinds in one', { schemaVersion: 2, config, layers: [], manifests: [] }],
    ['another stated type', { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers: [] }],
    ['no configuration', { schemaVersion: 2, layers: [] }],
    ['no layers', { schemaVersion: 2, config }],
    ['100 000 layers', { schemaVersion: 2, config, layers: Array.from({ length: 100_000 }, () => layer) }],
    ['a negative size', { schemaVersion: 2, config, layers: [{ ...layer, size: -1 }] }],
    ['a size beyond numbers', { schemaVersion: 2, config, layers: [{ ...layer, size: 2 ** 60 }] }],
    ['a size as text', { schemaVersion: 2, config, layers: [{ ...layer, size: '10' }] }],
    ['another digest', { schemaVersion: 2, config, layers: [{ ...layer, digest: 'sha256:../../etc' }] }],
    ['a huge configuration', { schemaVersion: 2, config: { ...config, size: 2 ** 40 }, layers: [] }],
    ['an artifact', { schemaVersion: 2, config: { ...config, mediaType: 'application/vnd.x' }, layers: [] }],
    ['an unknown layer', { schemaVersion: 2, config, layers: [{ ...layer, mediaType: 'text/plain' }] }],
    [
      'a foreign layer',
      {
        schemaVersion: 2,
        config,
        layers: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }],
      },
    ],
  ])('refuses %s', (_what, document) => {
    const body = document instanceof Buffer ? document : bytes(document);
    expect(() => parseImageManifest(body, OCI_MANIFEST)).toThrow(
      expect.objectContaining({ kind: 'InvalidArgument' }),
    );
  });

  test('refuses an index served as a manifest', () => {
    expect(() => parseImageManifest(bytes({ schemaVersion: 2, manifests: [] }), OCI_INDEX)).toThrow(
      'unsupported media type',
    );
  });
});

describe('selectEntry', () => {
  const entry = (architecture: string, more: object = {}): object => ({
    mediaType: OCI_MANIFEST,
    digest,
    size: architecture.length,
    platform: { os: 'linux', architecture, ...more },
  });
  const select = (...manifests: readonly object[]): string | undefined =>
    selectEntry(parseImageIndex(bytes({ schemaVersion: 2, manifests }), OCI_INDEX), amd64)?.platform?.variant;

  test('takes the first exact fit, not a lesser one before it', () => {
    expect(select(entry('arm64', { variant: 'no' }), entry('amd64', { variant: '' }))).toBe('');
  });

  test('never takes an attestation, nor an index inside an index', () => {
    expect(
      select(
        { ...entry('amd64'), mediaType: OCI_INDEX },
        { ...entry('unknown'), platform: { os: 'unknown' } },
      ),
    ).toBeUndefined();
  });

  test('refuses an index without end', () => {
    expect(() => select(...Array.from({ length: 1001 }, () => entry('arm64')))).toThrow('more than 1000');
  });
});
