import { EngineError } from '../../src/errors.ts';
import type { Registry } from '../../src/registry/types.ts';

/** A registry that has nothing, and counts how often it is asked. */
export function fakeRegistry(): { readonly registry: Registry; readonly calls: () => number } {
  let calls = 0;
  const refuse = async (): Promise<never> => {
    calls += 1;
    throw new EngineError('NotFound', 'manifest unknown: manifest unknown');
  };
  return {
    calls: () => calls,
    registry: {
      isIdentified: () => true,
      open() {
        calls += 1;
        return {
          resolve: refuse,
          listTags: refuse,
          fetchManifest: refuse,
          hasBlob: refuse,
          isAnonymous: () => true,
          async *fetchUnverified() {
            yield await refuse();
          },
          async *fetchBlob() {
            yield await refuse();
          },
        };
      },
      login: refuse,
      openForPush: () => ({ hasBlob: refuse, pushBlob: refuse, pushManifest: refuse }),
    },
  };
}
