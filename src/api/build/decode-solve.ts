import type { DecodedSolve } from '../../engine/build/solve-build.ts';
import { EngineError, ShapeError } from '../../errors.ts';
import type { ApiVersion } from '../http/api-version.ts';
import { decodeBuildContainer } from './decode-build.ts';
import { parseJsonText } from './json-parameter.ts';

/** What a client of BuildKit sends beside its files. */
export interface SolveOptions {
  readonly options: Readonly<Record<string, string>>;
  readonly exporter: string;
  readonly exporterOptions: Readonly<Record<string, string>>;
  readonly entitlements: readonly string[];
}

/** Of one build's options; more say nothing more. */
const MAX_WARNINGS = 20;
const WAY_OUT = 'DOCKER_BUILDKIT=0 builds without BuildKit';

function unsupported(what: string): EngineError {
  return new EngineError('NotImplemented', `${what} is not supported by this daemon: ${WAY_OUT}`);
}

// The exporters that leave the image with the daemon, and those that hand its files to the client.
const OUTPUTS: ReadonlyMap<string, DecodedSolve['output']> = new Map([
  // `type=cacheonly`
  ['', 'none'],
  ['moby', 'image'],
  ['image', 'image'],
  ['local', 'directory'],
  ['tar', 'archive'],
]);

/** Options whose meaning is what is done anyway. */
const PASSED_OVER = new Set(['source', 'frontend.caps', 'multi-platform']);
/** What clients call their two directories. */
const DIRECTORY_NAMES: ReadonlyMap<string, string> = new Map([
  ['contextkey', 'context'],
  ['dockerfilekey', 'dockerfile'],
]);
/** Options of outputs that are served, or say what is done anyway. */
const OUTPUT_OPTIONS = new Set(['name', 'push', 'unpack', 'dest', 'mode', 'tar', 'context']);

/** With `vcs:`, buildx tells of the git checkout that it builds in, for attestations alone. */
const KNOWN_FAMILIES = /^(?:build-arg|label|context|vcs):/;

function checkAttestation(name: string, value: string): void {
  // Clients ask for the small kind of provenance by themselves, to be kept beside the image where that can be done.
  const isDefault = name === 'attest:provenance' && /(?:^|,)(?:inline-only|disabled)=true(?:,|$)/.test(value);
  if (!isDefault) throw unsupported(`${name} (--provenance=false --sbom=false)`);
}

/** The options of one family, `label:NAME` say, by their names. */
function family(options: SolveOptions['options'], prefix: string): Readonly<Record<string, string>> {
  const found = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(options))
    if (name.startsWith(prefix)) found[name.slice(prefix.length)] = value;
  return found;
}

function list(value: string | undefined): readonly string[] {
  return (value ?? '').split(',').filter((one) => one !== '');
}

function ulimits(value: string | undefined): readonly object[] {
  return list(value).map((one) => {
    const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(one);
    if (!match) throw new ShapeError(`invalid ulimit: ${one}`);
    const [, Name, soft = '', hard = soft] = match;
    return { Name, Soft: Number(soft), Hard: Number(hard) };
  });
}

function cacheSources(options: SolveOptions['options']): readonly string[] {
  const text = options['cache-imports'];
  if (text === undefined) return list(options['cache-from']);
  const imports = parseJsonText('cache-imports', text);
  if (!Array.isArray(imports)) throw new ShapeError('cache-imports is not a list');
  return imports.flatMap((entry: unknown) => {
    const { Type: type, Attrs: attributes } = entry as {
      readonly Type?: unknown;
      readonly Attrs?: Readonly<Record<string, unknown>>;
    };
    const ref = attributes?.['ref'];
    if (type !== 'registry' || typeof ref !== 'string')
      throw unsupported('a cache that is not of type registry');
    return [ref];
  });
}

// Where clients say that they have put a context that came to them as a tar.
const UPLOAD = /^http:\/\/buildkit-session(\/[A-Za-z0-9_-]{1,128})$/;

/** What a client puts in the place of stages and images of its Dockerfile. */
function namedContexts(options: SolveOptions['options']): DecodedSolve['contexts'] {
  return new Map(
    Object.entries(family(options, 'context:')).map(([name, value]) => {
      const [, scheme = '', rest = ''] = /^(docker-image:\/\/|local:)(.+)$/s.exec(value) ?? [];
      // A context of one platform only, or one that the daemon would have to fetch from elsewhere.
      if (scheme === '' || name.includes('::'))
        throw new EngineError(
          'NotImplemented',
          `the named context ${name}=${value.slice(0, 200)} is not supported: fetch it into a directory, or name a docker-image://`,
        );
      return [name, scheme === 'local:' ? { directory: rest } : { image: rest }] as const;
    }),
  );
}

const NETWORK_MODES: ReadonlyMap<string, string> = new Map([
  ['', ''],
  ['default', ''],
  ['sandbox', ''],
  ['none', 'none'],
  ['host', 'host'],
]);

function networkMode(value: string): string {
  const mode = NETWORK_MODES.get(value);
  if (mode === undefined) throw new ShapeError(`invalid network mode ${value}`);
  return mode;
}

/** The container that steps run in, in the words of `POST /build`. */
function containerOptions(options: SolveOptions['options']): object {
  return {
    NetworkMode: networkMode(options['force-network-mode'] ?? ''),
    ExtraHosts: list(options['add-hosts']).map((entry) => entry.replace('=', ':')),
    CgroupParent: options['cgroup-parent'] ?? '',
    Ulimits: ulimits(options['ulimit']),
    ShmSize: shmSize(options['shm-size'] ?? ''),
  };
}

function shmSize(value: string): number {
  if (/^\d{0,15}$/.test(value)) return Number(value);
  throw new ShapeError(`invalid shm-size: ${value.slice(0, 100)}`);
}

const KNOWN = new Set([
  'filename',
  'target',
  'no-cache',
  'platform',
  'image-resolve-mode',
  'add-hosts',
  'force-network-mode',
  'cache-from',
  'cache-imports',
  'shm-size',
  'ulimit',
  'cgroup-parent',
  'context',
]);

function isKnown(name: string): boolean {
  return KNOWN.has(name) || PASSED_OVER.has(name) || KNOWN_FAMILIES.test(name);
}

function checkNames(options: SolveOptions['options']): void {
  for (const [name, value] of Object.entries(options)) {
    if (name.startsWith('attest:')) checkAttestation(name, value);
    else if (DIRECTORY_NAMES.has(name) ? DIRECTORY_NAMES.get(name) !== value : !isKnown(name))
      throw unsupported(`the build option ${name}`);
  }
}

function contextOf({ context = '' }: SolveOptions['options']): {
  readonly remote: string;
  readonly upload: string;
} {
  const [, upload = ''] = UPLOAD.exec(context) ?? [];
  return { remote: upload === '' ? context : '', upload };
}

function outputOf(exporter: string): DecodedSolve['output'] {
  const output = OUTPUTS.get(exporter);
  if (output) return output;
  throw new EngineError(
    'NotImplemented',
    `--output type=${exporter} is not supported by this daemon: build an image, then docker save it`,
  );
}

/** dockerd lets these go without a word; a client may take an image for one that has them. */
function outputWarnings(exporterOptions: SolveOptions['exporterOptions']): readonly string[] {
  if (isYes(exporterOptions['push-by-digest'])) throw unsupported('--output push-by-digest');
  return Object.keys(exporterOptions)
    .filter((name) => !OUTPUT_OPTIONS.has(name))
    .slice(0, MAX_WARNINGS)
    .map((name) =>
      name.startsWith('annotation')
        ? `${name.slice(0, 200)} is not kept: images of this daemon have labels, and no annotations`
        : `the option ${name.slice(0, 200)} of --output has no effect with this daemon`,
    );
}

function isYes(value: string | undefined): boolean {
  return ['1', 't', 'true'].includes((value ?? '').toLowerCase());
}

/** Decodes what a client of BuildKit asks for into what `POST /build` would; NotImplemented names what is not served. */
export function decodeSolve(
  { options, exporter, exporterOptions, entitlements }: SolveOptions,
  version: ApiVersion,
): DecodedSolve {
  checkNames(options);
  const { remote, upload } = contextOf(options);
  const noCache = options['no-cache'];
  if (noCache !== undefined && noCache !== '') throw unsupported('--no-cache-filter');
  if ((options['platform'] ?? '').includes(',')) throw unsupported('a build for several platforms');
  return {
    output: outputOf(exporter),
    contexts: namedContexts(options),
    upload,
    // With the exporter moby, clients push by themselves, through the API of images.
    isPushed: exporter === 'image' && isYes(exporterOptions['push']),
    warnings: outputWarnings(exporterOptions),
    request: {
      dockerfile: options['filename'] ?? 'Dockerfile',
      remote,
      tags: list(exporterOptions['name']),
      buildArgs: family(options, 'build-arg:'),
      labels: family(options, 'label:'),
      target: options['target'] ?? '',
      cacheFrom: cacheSources(options),
      noCache: noCache !== undefined,
      pull: options['image-resolve-mode'] === 'pull',
      remove: true,
      forceRemove: true,
      squash: false,
      platform: options['platform'] ?? '',
      version: '2',
      outputs: '',
      entitlements,
      container: decodeBuildContainer(containerOptions(options), version),
    },
  };
}
