import type { CallScope, Channel } from './channel.ts';
import type { Introspection, Version } from './types-metadata.ts';

// These two tell whether containerd is there at all, so they must not wait for one that hangs.
const timeoutMs = 5000;

/** Introspection service. */
export function createIntrospection(channel: Channel, scope: CallScope): Introspection {
  const caller = channel.caller('introspection', scope);
  return {
    async plugins(filters = []) {
      const { plugins } = await caller.unary('Plugins', { filters }, { timeoutMs });
      return plugins.map(({ type, id, requires, capabilities, exports, initErr }) => {
        return { type, id, requires, capabilities, exports, initError: initErr?.message ?? '' };
      });
    },
    async server() {
      const { uuid } = await caller.unary('Server', {}, { timeoutMs });
      return { uuid };
    },
  };
}

/** Version service. */
export function createVersion(channel: Channel, scope: CallScope): Version {
  const caller = channel.caller('version', scope);
  return {
    async version() {
      const { version, revision } = await caller.unary('Version', {}, { timeoutMs });
      return { version, revision };
    },
  };
}
