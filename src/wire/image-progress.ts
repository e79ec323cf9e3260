/** One line of a pull's, push's or load's answer. */
export interface ImageProgress {
  /** `Downloading`, `Pull complete` …; absent on a line of plain text. */
  readonly status?: string;
  /** What the status is about: a layer's short id, or a tag. */
  readonly id?: string;
  /** Present, possibly empty, on every line about a layer. */
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** The bar as text, for clients that draw none. */
  readonly progress?: string;
  /** What a client takes from the answer rather than shows: of a push, what was stored. */
  readonly aux?: { readonly Tag: string; readonly Digest: string; readonly Size: number };
  /** Plain text with its line end. */
  readonly stream?: string;
}
