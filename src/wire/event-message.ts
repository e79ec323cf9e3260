/** One line of `GET /events`. */
export interface EventMessage {
  /** The three legacy names of action, actor and image: of containers and images alone, as dockerd sends them. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  readonly time: number;
  readonly timeNano: number;
}
