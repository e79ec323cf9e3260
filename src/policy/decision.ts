/** What the gate made of one value: `allowed` is what only a setting of the operator let through. */
export interface Decision {
  readonly verdict: 'refused' | 'constrained' | 'warned' | 'allowed';
  readonly field: string;
  /** What the client wrote, on one line; absent where it may be a secret or says nothing. */
  readonly asked?: string;
  readonly reason: string;
  /** The setting that opens it, where there is one. */
  readonly setting?: string;
}
