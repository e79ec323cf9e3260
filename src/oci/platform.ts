import { ShapeError } from '../errors.ts';

/** What an image was built for, in Go's words; `variant` empty where it does not matter. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

const componentPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

const architectureNames: ReadonlyMap<string, readonly [architecture: string, variant: string]> = new Map([
  ['i386', ['386', '']],
  ['x86_64', ['amd64', '']],
  ['x86-64', ['amd64', '']],
  ['amd64', ['amd64', '']],
  ['aarch64', ['arm64', '']],
  ['arm64', ['arm64', '']],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
  ['arm', ['arm', '']],
]);

const knownArchitectures: ReadonlySet<string> = new Set([
  '386',
  'loong64',
  'mips',
  'mips64',
  'mips64le',
  'mipsle',
  'ppc64',
  'ppc64le',
  'riscv64',
  's390x',
]);

const operatingSystems: ReadonlySet<string> = new Set([
  'linux',
  'windows',
  'darwin',
  'macos',
  'freebsd',
  'netbsd',
  'openbsd',
]);

/** Parses `--platform` (`linux`, `arm64`, `linux/arm/v7`); what is missing is the host's. InvalidArgument otherwise. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.split('/');
  if (parts.length > 3)
    throw new ShapeError(`"${text.slice(0, 100)}": cannot parse platform specifier: invalid argument`);
  const bad = parts.findIndex((part) => !componentPattern.test(part));
  if (bad >= 0) throw invalidComponent(text, { part: parts[bad] ?? '', isOs: bad === 0 });
  const [first = '', second, third] = parts.map((part) => part.toLowerCase());
  if (second === undefined) {
    if (operatingSystems.has(first)) return normalizePlatform({ ...host, os: first });
    if (architectureNames.has(first) || knownArchitectures.has(first))
      return normalizePlatform({ os: host.os, architecture: first, variant: '' });
    throw new ShapeError(`"${first}": unknown operating system or architecture`);
  }
  return normalizePlatform({ os: first, architecture: second, variant: third ?? '' });
}

function invalidComponent(
  text: string,
  { part, isOs }: { readonly part: string; readonly isOs: boolean },
): ShapeError {
  const what = isOs ? 'OS component' : 'component';
  return new ShapeError(`"${part.slice(0, 100)}" is an invalid ${what} of "${text.slice(0, 100)}"`);
}

/** The one spelling of a platform: `x86_64` is amd64, `arm64/v8` is arm64, `arm` is arm/v7. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os === 'macos' ? 'darwin' : platform.os;
  const [architecture, impliedVariant] = architectureNames.get(platform.architecture) ?? [
    platform.architecture,
    '',
  ];
  const variant = platform.variant === '' ? impliedVariant : platform.variant;
  if (architecture === 'arm64' && (variant === '8' || variant === 'v8'))
    return { os, architecture, variant: '' };
  if (architecture === 'amd64' && variant === 'v1') return { os, architecture, variant: '' };
  if (architecture === 'arm')
    return { os, architecture, variant: variant === '' ? 'v7' : variant.replace(/^(?=\d)/, 'v') };
  return { os, architecture, variant };
}

/** `linux/arm/v7`, as Docker prints a platform. */
export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === '' ? '' : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/** How well an image's platform serves the wanted one: 0 is exact, greater is a lesser fit, undefined does not run. */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const want = normalizePlatform(wanted);
  const offer = normalizePlatform(offered);
  if (want.os !== offer.os) return undefined;
  if (want.architecture !== offer.architecture) return undefined;
  if (want.variant === offer.variant) return 0;
  const step = variantNumber(want) - variantNumber(offer);
  return step > 0 ? step : undefined;
}

// A processor runs what was built for an earlier variant of its architecture, never for a later one.
function variantNumber({ architecture, variant }: Platform): number {
  const number = /^v(\d{1,2})(?:\.\d+)?$/.exec(variant)?.[1];
  if (number !== undefined) return Number(number);
  return architecture === 'arm64' ? 8 : variant === '' ? 1 : Number.NaN;
}
