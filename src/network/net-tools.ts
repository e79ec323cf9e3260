import { readFileSync } from 'node:fs';

import { EngineError } from '../errors.ts';
import { isErrno, toEngineError } from '../host/errors.ts';
import type { NetnsEntry } from '../host/netns.ts';
import type { HostProcesses, ProcessResult } from '../host/types.ts';
import { getChain, removeTable, tableFamilies } from './rule-messages.ts';

/** A network namespace that commands are run in: a path, or the one that the uplinks lead to. */
export type Place = { readonly netns: string } | 'host';

/** A route or link as `ip -json` prints it, as far as it is read here. */
export interface IpRecord {
  readonly ifname?: string;
  readonly ifalias?: string;
  readonly dst?: string;
  readonly master?: string;
}

/** iproute2, nftables and iptables. Arguments are berth's own words, and texts go by stdin: nothing here is a shell line. */
export interface NetTools {
  /** Runs the lines as one `ip -batch`; the first that fails ends it with Internal. */
  ip(place: Place, lines: readonly string[]): Promise<void>;
  /** As `ip`, but goes on after a failed line, and answers what failed. */
  ipAnyway(place: Place, lines: readonly string[]): Promise<string>;
  show(place: Place, args: readonly string[]): Promise<readonly IpRecord[]>;
  /** Applies a rule text as one transaction. */
  nft(place: Place, text: string): Promise<void>;
  /** Removes a table, and is no error where there is none. */
  dropTable(place: Place, table: string): Promise<void>;
  /** Whether nftables has a chain there. */
  hasChain(place: Place, family: 'ip' | 'ip6', chain: { table: string; name: string }): Promise<boolean>;
  /** A file of the namespace in `/proc/net`; empty where there is none. */
  readProcNet(place: Place, name: string): string;
  /** Runs any program to its end; a failure is an answer. */
  run(place: Place, argv: readonly string[], stdin?: string): Promise<ProcessResult>;
}

/** Tools over the host's programs and the kernel; `hostNetns` is the namespace the uplinks lead to when it is not berth's own. */
export function createNetTools(
  processes: HostProcesses,
  netns: NetnsEntry,
  hostNetns: string | undefined,
): NetTools {
  const pathOf = (place: Place): string =>
    place === 'host' ? (hostNetns ?? `/proc/${process.pid}/ns/net`) : place.netns;
  const run = (place: Place, argv: readonly string[], stdin = ''): Promise<ProcessResult> => {
    const path = place === 'host' ? hostNetns : place.netns;
    return path === undefined ? processes.run(argv, { stdin }) : processes.runInNetns(path, argv, { stdin });
  };
  return {
    run,
    async ip(place, lines) {
      expectSuccess(await run(place, ['ip', '-batch', '-'], batch(lines)), 'ip');
    },
    async ipAnyway(place, lines) {
      if (lines.length === 0) return '';
      return (await run(place, ['ip', '-force', '-batch', '-'], batch(lines))).stderr;
    },
    async show(place, args) {
      const { stdout } = expectSuccess(await run(place, ['ip', '-json', ...args]), 'ip');
      return stdout.trim() === '' ? [] : (JSON.parse(stdout) as IpRecord[]);
    },
    async hasChain(place, family, { table, name }) {
      const socket = netns.netlink(pathOf(place), 'netfilter');
      try {
        await socket.request([getChain(tableFamilies[family], table, name)]);
        return true;
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return false;
        throw toEngineError(error, 'cannot look at the rules of the network');
      } finally {
        socket.close();
      }
    },
    async dropTable(place, table) {
      const socket = netns.netlink(pathOf(place), 'netfilter');
      try {
        await socket.request(removeTable(tableFamilies.inet, table));
      } catch (error) {
        throw toEngineError(error, 'cannot remove the rules of the network');
      } finally {
        socket.close();
      }
    },
    readProcNet(place, name) {
      try {
        return netns.run(pathOf(place), () => readFileSync(`/proc/thread-self/net/${name}`, 'utf8'));
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return '';
        throw toEngineError(error, 'cannot read of the network');
      }
    },
    async nft(place, text) {
      expectSuccess(await run(place, ['nft', '-f', '-'], text), 'nft');
    },
  };
}

/** The result of a program that succeeded; Internal with the program's words as cause for one that did not. */
export function expectSuccess(result: ProcessResult, program: string): ProcessResult {
  if (result.code === 0) return result;
  throw new EngineError('Internal', `${program} failed to set up the network`, {
    cause: new Error(result.stderr.trim()),
  });
}

function batch(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
