/** The answer of `GET /containers/{id}/top`. */
export interface ContainerTop {
  readonly Titles: readonly string[];
  /** One array per process, as long as `Titles`; null where there is none. */
  readonly Processes: readonly (readonly string[])[] | null;
}
