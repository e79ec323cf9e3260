import { ShapeError } from '../errors.ts';
import { isDigest } from './digest.ts';

/** A normalised image reference: `alpine` has become domain `docker.io` and path `library/alpine`. */
export interface ImageReference {
  /** Registry host with its port, `docker.io` for Docker Hub. */
  readonly domain: string;
  readonly path: string;
  /** What the user typed; never filled in by itself. */
  readonly tag?: string;
  readonly digest?: string;
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DEFAULT_DOMAIN = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';
const MAX_NAME_LENGTH = 255;
const MAX_REFERENCE_LENGTH = 1024;

const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(
  `^(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const pathPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const hexIdPattern = /^[0-9a-f]{64}$/;

/** Parses a reference as Docker's clients write it; InvalidArgument in dockerd's words. */
export function parseReference(text: string): ImageReference {
  if (text.length > MAX_REFERENCE_LENGTH) throw invalidFormat();
  if (hexIdPattern.test(text))
    throw new ShapeError(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const { domain, remainder } = splitDomain(text);
  const { path, tag, digest } = splitRemainder(remainder);
  checkName(domain, path);
  if (tag !== undefined && !tagPattern.test(tag)) throw invalidFormat();
  if (digest !== undefined && !isDigest(digest)) throw invalidFormat();
  return {
    domain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Parses a tag alone, as `POST /images/{name}/tag` gets it; InvalidArgument when it cannot be one. */
export function parseTag(text: string): string {
  if (!tagPattern.test(text)) throw new ShapeError('invalid tag format');
  return text;
}

/** The same reference with `latest` where neither tag nor digest was typed. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: 'latest' }
    : reference;
}

/** Repository name in full: `docker.io/library/alpine`. */
export function repositoryName(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}`;
}

/** Repository name as users see it: `alpine`, `user/app`, `localhost:5000/app`. */
export function familiarName(reference: ImageReference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return repositoryName(reference);
  const short = reference.path.slice(OFFICIAL_PREFIX.length);
  return reference.path.startsWith(OFFICIAL_PREFIX) && !short.includes('/') ? short : reference.path;
}

/** The reference as users see it, with what was typed of tag and digest. */
export function familiarString(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${familiarName(reference)}${tag}${digest}`;
}

/** Key of the reference among the job's images: by digest where there is one, else by tag (`latest` by default). */
export function recordName(reference: ImageReference): string {
  return reference.digest === undefined
    ? `${repositoryName(reference)}:${reference.tag ?? 'latest'}`
    : `${repositoryName(reference)}@${reference.digest}`;
}

// The part before the first slash is a host only if it can be nothing else: a dot, a colon, an upper-case
// letter or the word localhost.
function splitDomain(text: string): { readonly domain: string; readonly remainder: string } {
  const slash = text.indexOf('/');
  const first = slash === -1 ? '' : text.slice(0, slash);
  const isHost =
    slash !== -1 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const typed = isHost ? first : DEFAULT_DOMAIN;
  const remainder = isHost ? text.slice(slash + 1) : text;
  const domain = typed === LEGACY_DEFAULT_DOMAIN ? DEFAULT_DOMAIN : typed;
  return domain === DEFAULT_DOMAIN && !remainder.includes('/')
    ? { domain, remainder: `${OFFICIAL_PREFIX}${remainder}` }
    : { domain, remainder };
}

function splitRemainder(remainder: string): {
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
} {
  const at = remainder.indexOf('@');
  const named = at === -1 ? remainder : remainder.slice(0, at);
  const colon = named.indexOf(':');
  return {
    path: colon === -1 ? named : named.slice(0, colon),
    tag: colon === -1 ? undefined : named.slice(colon + 1),
    digest: at === -1 ? undefined : remainder.slice(at + 1),
  };
}

function checkName(domain: string, path: string): void {
  if (path !== path.toLowerCase())
    throw new ShapeError('invalid reference format: repository name must be lowercase');
  if (!domainPattern.test(domain) || !pathPattern.test(path)) throw invalidFormat();
  if (domain.length + 1 + path.length > MAX_NAME_LENGTH)
    throw new ShapeError(`repository name must not be more than ${MAX_NAME_LENGTH} characters`);
}

function invalidFormat(): ShapeError {
  return new ShapeError('invalid reference format');
}
