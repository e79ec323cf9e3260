/** One element of the answer of `GET /images/{name}/history`, newest first. */
export interface ImageHistoryItem {
  /** `<missing>` for all but the image itself. */
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}
