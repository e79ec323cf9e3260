declare const admittedMark: unique symbol;

/** A request that the gate has let through; only `privileged-gate.ts` makes one, and the spec builder takes nothing else. */
export type Admitted<T> = T & { readonly [admittedMark]: true };
