import { close, closeSync } from 'node:fs';

import { systemError } from './system-error.ts';
import type { NetnsCalls } from './netns-calls.ts';
import { decodeAnswers, encodeRequest, requestFlags, type NetlinkRequest } from './netlink-message.ts';

/** The kernel's families of netlink that are spoken here. */
export const netlinkFamilies = { route: 0, netfilter: 12 } as const;

const afNetlink = 16;
const sockRaw = 3;
const nonblockCloexec = 0o4000 | 0o2000000;
const datagramBytes = 64 * 1024;

/** A netlink socket; it belongs to the namespace it was opened in, whoever sends on it later. */
export interface NetlinkSocket {
  /**
   * Sends the requests in one write, and answers with what each was told besides its end. The kernel goes on after a
   * request it refuses; the first refusal is thrown as an errno error.
   */
  request(requests: readonly NetlinkRequest[]): Promise<readonly (readonly Buffer[])[]>;
  /** The descriptor is gone soon after, not at once. */
  close(): void;
}

/** Opens a socket in the namespace this thread is in. */
export function openNetlinkSocket(calls: NetnsCalls, family: keyof typeof netlinkFamilies): NetlinkSocket {
  const fd = calls.socket(afNetlink, sockRaw | nonblockCloexec, netlinkFamilies[family]);
  const buffer = Buffer.alloc(datagramBytes);
  let next = 1;
  return {
    async request(requests) {
      const first = next;
      next += requests.length;
      const bytes = requests.map((one, index) => encodeRequest(one, first + index));
      await calls.send(fd, Buffer.concat(bytes));
      // The kernel has carried out all of them by now: what it says has come.
      const told = requests.map((): Buffer[] => []);
      const open = new Set(
        requests.flatMap(({ flags }, index) =>
          flags & (requestFlags.ack | requestFlags.dump) ? [index] : [],
        ),
      );
      let refusal: Error | undefined;
      while (open.size > 0)
        for (const { sequence, errno, body } of decodeAnswers(
          buffer.subarray(0, calls.receive(fd, buffer)),
        )) {
          const index = sequence - first;
          if (errno === undefined) told[index]?.push(body);
          else if (open.delete(index) && errno !== 0) refusal ??= refused(errno, requests[index]);
          else if (errno !== 0) refusal ??= refused(errno, undefined);
        }
      if (refusal) throw refusal;
      return told;
    },
    close() {
      // After a transaction that removed something, the kernel waits here until none of its processors can still see that:
      // measured at 6 to 18 ms, in which this thread would do nothing.
      if (family === 'netfilter') close(fd, () => undefined);
      else closeSync(fd);
    },
  };
}

function refused(errno: number, request: NetlinkRequest | undefined): Error {
  return systemError(`netlink request ${request?.type ?? 'of a batch'}`, errno, 'network');
}
