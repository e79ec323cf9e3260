/** A server for names that a container's networks do not know. */
export interface Upstream {
  readonly address: string;
  /** The network namespace that it is asked from. */
  readonly netnsPath: string;
  /** Asked from the host's namespace, where it may trust who asks. */
  readonly isRelayed: boolean;
  /** What it is remembered by: one server looks different from containers that have no way out. */
  readonly key: string;
}

/** Which servers said nothing lately. */
export interface UpstreamHistory {
  /** The servers with those last that said nothing, and one of these that is to be tried again, once. */
  order(upstreams: readonly Upstream[]): {
    readonly inOrder: readonly Upstream[];
    readonly due: Upstream | undefined;
  };
  record(upstream: Upstream, what: 'answer' | 'silence'): void;
}

/** How long after its silence, or after it was last tried, a server is tried again beside the others. */
const retryMs = 10_000;
/** Keys are made of containers; the oldest give way. */
const maxSilent = 1024;

/** A history without memories; `now` is in ms. */
export function createUpstreamHistory(now = (): number => performance.now()): UpstreamHistory {
  const silentSince = new Map<string, number>();
  return {
    order(upstreams) {
      const isSilent = ({ key }: Upstream): boolean => silentSince.has(key);
      const [speaking, silent] = [upstreams.filter((one) => !isSilent(one)), upstreams.filter(isSilent)];
      const due =
        speaking.length === 0
          ? undefined
          : silent.find(({ key }) => now() - (silentSince.get(key) ?? 0) >= retryMs);
      if (due) silentSince.set(due.key, now());
      return { inOrder: [...speaking, ...silent], due };
    },
    record({ key }, what) {
      silentSince.delete(key);
      if (what === 'answer') return;
      silentSince.set(key, now());
      const [oldest] = silentSince.keys();
      if (silentSince.size > maxSilent && oldest !== undefined) silentSince.delete(oldest);
    },
  };
}
