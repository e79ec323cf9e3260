const PATTERN = /^[a-zA-Z0-9*][a-zA-Z0-9._/:*-]*$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** A pattern of images, taken apart: a digest holds whatever the name, a name only without a digest. */
interface ImagePattern {
  readonly name: RegExp;
  readonly digest: string | undefined;
}

/** Which image a request leads to, as far as a rule about images can ask. */
export interface ImageFacts {
  /** The reference in full, `docker.io/library/alpine:latest`; undefined for one that is none, an id for example. */
  readonly askedName: string | undefined;
  readonly isPresent: boolean;
  /** Names under which a registry has given the image to this job. */
  readonly pulledNames: readonly string[];
  /** Digests of its manifest and of the indexes that led to it. */
  readonly digests: readonly string[];
}

/** No image at all: no rule holds for it. */
export const NO_IMAGE: ImageFacts = { askedName: undefined, isPresent: true, pulledNames: [], digests: [] };

/** Why a text is no pattern of images, or undefined where it is one. */
export function refuseImagePattern(text: string): string | undefined {
  const { named, digest } = split(text);
  if (digest !== undefined && !DIGEST.test(digest)) return 'a digest is sha256: and 64 hexadecimal digits';
  if (named === '') return digest === undefined ? 'it names no image' : undefined;
  if (!PATTERN.test(named) || named.includes('//') || named.endsWith('/')) return 'it is no image reference';
  return domainOf(named).domain.includes('*') ? "a registry's host must be written out" : undefined;
}

/** True where the image is what the pattern means: by content, or because a registry gave it to this job by that name. */
export function holdsForImage(text: string, image: ImageFacts): boolean {
  const { name, digest } = compile(text);
  return digest === undefined
    ? image.pulledNames.some((pulled) => name.test(pulled))
    : image.digests.includes(digest);
}

/** True where the reference reads like the pattern, whatever the image is that it leads to. */
export function readsLike(text: string, image: ImageFacts): boolean {
  const { name, digest } = compile(text);
  const { askedName: asked } = image;
  if (asked === undefined) return false;
  return digest === undefined ? name.test(asked) : asked.endsWith(`@${digest}`);
}

function split(text: string): { readonly named: string; readonly digest: string | undefined } {
  if (DIGEST.test(text)) return { named: '', digest: text };
  const at = text.indexOf('@');
  return at < 0
    ? { named: text, digest: undefined }
    : { named: text.slice(0, at), digest: text.slice(at + 1) };
}

// As for references: the first word is a host only if it can be nothing else.
function domainOf(named: string): { readonly domain: string; readonly path: string } {
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = isHost ? first.replace(/^index\.docker\.io$/, 'docker.io') : 'docker.io';
  const path = isHost ? named.slice(slash + 1) : named;
  return { domain, path: domain === 'docker.io' && !path.includes('/') ? `library/${path}` : path };
}

function compile(text: string): ImagePattern {
  const { named, digest } = split(text);
  const { domain, path } = domainOf(named);
  const [repository = '', tag] = path.split(':');
  const end = tag === undefined ? '(?:[:@].*)?' : `:${wild(tag)}`;
  return { name: new RegExp(`^${wild(domain)}/${wild(repository)}${end}$`), digest };
}

/** A star stands for anything within one word of a path. */
function wild(text: string): string {
  return text
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/:@]*');
}
