import { isErrorKind } from '../errors.ts';
import { listIpv6Links, readNetSetting, writeNetSetting } from '../host/net-settings.ts';
import { permitForwarding } from './forward-permit.ts';
import { isolatedUplink, type Ground } from './foundation.ts';
import { ipv6Overlap, parseIpv6Block } from './ipv6.ts';
import type { LinkEnd } from './kernel-links.ts';
import type { Foundation } from './network-state.ts';
import { uplinkIpv6 } from './slots.ts';

/** A block that says where an address lies; shorter ones are how VPNs write a default route. */
const shortestRealPrefix = 8;
const pairPrefix = 127;

/**
 * Opens the job's way out for IPv6, under rules that are in force since the job began; most jobs never need it. False
 * where the host has no IPv6 to share. Done again, it changes nothing.
 */
export async function openIpv6Exit(ground: Ground, { netnsPath, uplink }: Foundation): Promise<boolean> {
  const { netns, links, log, mark, tools, hostNetns } = ground;
  if (!uplink) {
    forwardIpv6(ground, netnsPath);
    return (await links.surveyIpv6(netnsPath)).hasDefault;
  }
  const { hostAddress, jobAddress } = uplinkIpv6(uplink.hostLink);
  netns.run(netnsPath, () => {
    writeNetSetting('ipv6/conf/all/forwarding', '1');
  });
  if (!(await isOpenTo(ground, hostAddress))) {
    log.info("the host has no IPv6 to share: the job's stays inside");
    return false;
  }
  forwardIpv6(ground, hostNetns);
  netns.run(hostNetns, () => {
    writeNetSetting(`ipv6/conf/${uplink.hostLink}/accept_ra`, '0');
    writeNetSetting(`ipv6/conf/${uplink.hostLink}/disable_ipv6`, '0');
  });
  const host: LinkEnd = { netnsPath: hostNetns, name: uplink.hostLink, address: hostAddress };
  const job: LinkEnd = { netnsPath, name: isolatedUplink, address: jobAddress };
  // Nobody on this link is asked for addresses: what a job may send here is what the rules know it by.
  await links.introduce([host, job]);
  await Promise.all([
    raiseAgain(ground, host, []),
    raiseAgain(ground, job, [hostAddress]),
    permitForwarding(tools, 'host', { link: uplink.hostLink, mark, families: ['ip6'] }),
  ]);
  return true;
}

async function isOpenTo({ links, hostNetns }: Ground, address: string): Promise<boolean> {
  const { hasDefault, routed } = await links.surveyIpv6(hostNetns);
  const own = parseIpv6Block(`${address}/${pairPrefix}`);
  // Those as long as the pair are other jobs', or the pair's own from an earlier process.
  const blocks = routed
    .map(parseIpv6Block)
    .filter(({ prefixLength }) => prefixLength >= shortestRealPrefix && prefixLength < pairPrefix);
  return hasDefault && !blocks.some((block) => ipv6Overlap(block, own));
}

async function raiseAgain({ links }: Ground, end: LinkEnd, gateways: readonly string[]): Promise<void> {
  try {
    const addresses = [{ address: end.address, prefixLength: pairPrefix }];
    await links.raise(end.netnsPath, end.name, { addresses, gateways });
  } catch (error) {
    // An earlier process of the job has done it.
    if (!isErrorKind(error, 'Conflict')) throw error;
  }
}

// A host that forwards does not listen to routers any more, and may have its own way out from them: those links that
// did go on (`accept_ra` 2). Left on at the end, as for IPv4.
function forwardIpv6({ netns, log }: Ground, netnsPath: string): void {
  const wasOff = netns.run(netnsPath, () => {
    if (readNetSetting('ipv6/conf/all/forwarding') === '1') return false;
    for (const link of listIpv6Links())
      if (link !== 'all' && link !== 'default' && readNetSetting(`ipv6/conf/${link}/accept_ra`) === '1')
        writeNetSetting(`ipv6/conf/${link}/accept_ra`, '2');
    writeNetSetting('ipv6/conf/all/forwarding', '1');
    return true;
  });
  if (wasOff) log.warn('forwarding of IPv6 was off on the host and is on from now on');
}
