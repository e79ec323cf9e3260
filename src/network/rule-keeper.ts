import { toEngineError } from '../host/errors.ts';
import type { NetnsEntry } from '../host/netns.ts';
import { changeElements, transaction } from './rule-messages.ts';
import { elementChanges, elementsOf, type RuleState } from './rule-sets.ts';

/** Keeps the sets of a job's table as the job is. */
export interface RuleKeeper {
  /** Brings the sets from their last state to this one, in one transaction; not to be called again before it is done. */
  update(state: RuleState): Promise<void>;
}

/** Where the table is, and what its sets hold now. */
export interface RuleKeeperOptions {
  readonly netns: NetnsEntry;
  readonly netnsPath: string;
  readonly table: string;
  readonly present: RuleState;
}

/** A keeper of a table that is in force. */
export function createRuleKeeper({ netns, netnsPath, table, present }: RuleKeeperOptions): RuleKeeper {
  let applied = elementsOf(present);
  return {
    async update(state) {
      const wanted = elementsOf(state);
      const messages = changeElements(table, elementChanges(applied, wanted));
      if (messages.length === 0) return;
      const socket = netns.netlink(netnsPath, 'netfilter');
      try {
        await socket.request(transaction(messages));
        applied = wanted;
      } catch (error) {
        throw toEngineError(error, 'cannot change the rules of the network');
      } finally {
        socket.close();
      }
    },
  };
}
