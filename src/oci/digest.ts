const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** True for `sha256:` and 64 lower-case hex digits, the only digests that are accepted anywhere. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** The 64 hex digits of a digest. */
export function digestHex(digest: string): string {
  return digest.slice('sha256:'.length);
}

/** The first twelve hex digits of an id or digest, as Docker prints them. */
export function shortId(id: string): string {
  return (id.startsWith('sha256:') ? digestHex(id) : id).slice(0, 12);
}
