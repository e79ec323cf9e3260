import type { HostConfig, PortBinding } from '../../wire/host-config.ts';
import { FEATURES } from '../features.ts';
import { isIpAddress } from '../ip-address.ts';
import { checkLinks } from '../link-spec.ts';
import { isContainerPort, isHostPort } from '../port-spec.ts';
import { bad, quote, unless, type Finding, type RuleTable } from '../rule.ts';

type Fields =
  'PortBindings' | 'PublishAllPorts' | 'Links' | 'ExtraHosts' | 'Dns' | 'DnsOptions' | 'DnsSearch';

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/;
const DNS_OPTION = /^[A-Za-z0-9_:-]{1,64}$/;
const NO_SCTP = 'SCTP ports cannot be published';
const NO_PORTS = 'published ports are not supported';

function checkBinding(binding: PortBinding): readonly Finding[] {
  return [
    ...unless(
      binding.HostPort === '' || isHostPort(binding.HostPort),
      bad(`invalid port specification: ${quote(binding.HostPort)}`),
    ),
    ...unless(
      binding.HostIp === '' || isIpAddress(binding.HostIp),
      bad(`invalid host IP address: ${quote(binding.HostIp)}`),
    ),
  ];
}

function checkPortBindings(bindings: HostConfig['PortBindings']): readonly Finding[] {
  const ports = Object.keys(bindings);
  const findings = Object.entries(bindings).flatMap(([port, hosts]) => [
    ...unless(isContainerPort(port), bad(`invalid port specification: ${quote(port)}`)),
    ...(hosts ?? []).flatMap(checkBinding),
  ]);
  return [
    ...findings,
    ...unless(ports.length === 0 || FEATURES.publishedPorts, { kind: 'unsupported', message: NO_PORTS }),
    ...unless(!ports.some((port) => port.endsWith('/sctp')), { kind: 'unsupported', message: NO_SCTP }),
  ];
}

function checkExtraHost(entry: string): readonly Finding[] {
  const at = entry.indexOf(':');
  const name = entry.slice(0, Math.max(at, 0));
  const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  if (at < 0 || !HOST_NAME.test(name)) {
    return [bad(`bad format for add-host: ${quote(entry)}`)];
  }
  return unless(
    address === 'host-gateway' || isIpAddress(address),
    bad(`invalid IP address in add-host: ${quote(address)}`),
  );
}

/** The rows of names, addresses and ports. */
export const networkRules: RuleTable<Pick<HostConfig, Fields>> = {
  PortBindings: {
    verdict: 'constrain',
    reason: "ports are published inside the job's network, never on the machine's addresses",
    check: checkPortBindings,
  },
  PublishAllPorts: {
    verdict: 'constrain',
    reason: "ports are published inside the job's network, never on the machine's addresses",
    check: (isAsked) =>
      unless(!isAsked || FEATURES.publishedPorts, { kind: 'unsupported', message: NO_PORTS }),
  },
  Links: {
    verdict: 'bad',
    reason: "only the job's own containers can be linked",
    check: (links) => checkLinks(links ?? []),
  },
  ExtraHosts: {
    verdict: 'bad',
    reason: 'each is one line of /etc/hosts, and must stay one',
    check: (hosts) => (hosts ?? []).flatMap(checkExtraHost),
  },
  Dns: {
    verdict: 'bad',
    reason: 'each is one line of /etc/resolv.conf, and must stay one',
    check: (servers) =>
      (servers ?? []).flatMap((server) =>
        unless(isIpAddress(server), bad(`invalid IP address in dns: ${quote(server)}`)),
      ),
  },
  DnsOptions: {
    verdict: 'bad',
    reason: 'they make one line of /etc/resolv.conf',
    check: (options) =>
      (options ?? []).flatMap((option) =>
        unless(DNS_OPTION.test(option), bad(`invalid dns option: ${quote(option)}`)),
      ),
  },
  DnsSearch: {
    verdict: 'bad',
    reason: 'they make one line of /etc/resolv.conf',
    check: (domains) =>
      (domains ?? []).flatMap((domain) =>
        unless(
          domain === '' || domain === '.' || HOST_NAME.test(domain),
          bad(`invalid dns search domain: ${quote(domain)}`),
        ),
      ),
  },
};
