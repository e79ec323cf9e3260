/** One entry of `GET /containers/{id}/changes`: 0 is modified, 1 added, 2 deleted. */
export interface FileChange {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}
