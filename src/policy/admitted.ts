/** Exists as a type only. Its member is private, so that a copy by spread loses the mark with what was changed in it. */
declare class AdmittedMark {
  private readonly admitted: true;
}

/** A request that the gate has let through; only `privileged-gate.ts` makes one, and the spec builder takes nothing else. */
export type Admitted<T> = T & AdmittedMark;
