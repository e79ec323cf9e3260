import { isIPv4 } from 'node:net';

import { ShapeError } from '../errors.ts';
import type { NetworkFacts } from './types.ts';

const ownPrefix = 'com.docker.network.';
const mtuOption = `${ownPrefix}driver.mtu`;
const talkOption = `${ownPrefix}bridge.enable_icc`;
const masqueradeOption = `${ownPrefix}bridge.enable_ip_masquerade`;
const bindingOption = `${ownPrefix}bridge.host_binding_ipv4`;
const interfaceOption = `${ownPrefix}container_iface_prefix`;
const nameOption = `${ownPrefix}bridge.name`;
const defaultMtu = 1500;
const [smallestMtu, largestMtu] = [68, 65_535];
const anyAddress = '0.0.0.0';

/** Largest packet of the network's interfaces. */
export function mtuOf({ options }: NetworkFacts): number {
  return Number(options[mtuOption] ?? defaultMtu) || defaultMtu;
}

/** Whether the network's containers may talk to each other. */
export function mayTalk({ options }: NetworkFacts): boolean {
  return isOn(options[talkOption]);
}

/** Whether what leaves the network does so under the job's address. */
export function hasMasquerade({ options }: NetworkFacts): boolean {
  return isOn(options[masqueradeOption]);
}

/** Where ports of the network's containers are published that name no address; empty for all addresses. */
export function bindingOf({ options }: NetworkFacts): string {
  const address = options[bindingOption] ?? anyAddress;
  return address === anyAddress ? '' : address;
}

/** What the names of the network's interfaces in containers begin with. */
export function interfacePrefixOf({ options }: NetworkFacts): string {
  return options[interfaceOption] ?? 'eth';
}

/** What a user calls the network's bridge; empty where that is the daemon's choice. */
export function bridgeNameOf({ options }: Pick<NetworkFacts, 'options'>): string {
  return options[nameOption] ?? '';
}

/** InvalidArgument, in dockerd's words where it has any, for a value that cannot be, or for an option of Docker's that has no effect here. */
export function checkNetworkOptions(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) {
    const why = whyNot(name, value);
    if (why === undefined) continue;
    const reason = `failed to parse ${name.slice(0, 200)} value`;
    throw new ShapeError(`${reason}: ${value.slice(0, 200)} (${why})`, { field: 'Options', reason });
  }
}

const checks: ReadonlyMap<string, (value: string) => string | undefined> = new Map([
  [mtuOption, mtuFault],
  [talkOption, flagFault],
  [masqueradeOption, flagFault],
  [bindingOption, (value) => (isIPv4(value) ? undefined : 'nil ip')],
  [
    interfaceOption,
    (value) => (/^[a-zA-Z][a-zA-Z0-9_-]{0,9}$/.test(value) ? undefined : 'not the start of a name of a link'),
  ],
  [nameOption, nameFault],
  [`${ownPrefix}bridge.default_bridge`, flagFault],
  // Values of what is not carried out are fine where they ask for what is so anyway.
  [`${ownPrefix}bridge.inhibit_ipv4`, (value) => flagFault(value) ?? onlyOff(value)],
  [`${ownPrefix}bridge.gateway_mode_ipv4`, onlyTranslated],
  [`${ownPrefix}bridge.gateway_mode_ipv6`, onlyTranslated],
]);

function whyNot(name: string, value: string): string | undefined {
  if (!name.startsWith(ownPrefix)) return undefined;
  const check = checks.get(name);
  return check ? check(value) : 'unsupported network option';
}

function mtuFault(value: string): string | undefined {
  if (!/^\d{1,9}$/.test(value)) return `strconv.Atoi: parsing ${quote(value)}: invalid syntax`;
  const mtu = Number(value);
  const isPossible = mtu === 0 || (mtu >= smallestMtu && mtu <= largestMtu);
  return isPossible ? undefined : `between ${smallestMtu} and ${largestMtu}`;
}

// The kernel's length, and no name of a directory of its settings.
function nameFault(value: string): string | undefined {
  const isName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(value) && value !== 'all' && value !== 'default';
  return value === '' || isName ? undefined : 'not the name of a link';
}

function onlyOff(value: string): string | undefined {
  return isOn(value) ? 'a bridge without an address is not supported' : undefined;
}

function onlyTranslated(value: string): string | undefined {
  return value === '' || value === 'nat' ? undefined : 'only nat is supported';
}

function flagFault(value: string): string | undefined {
  const isFlag = /^(?:1|t|true|0|f|false)$/i.test(value);
  return isFlag ? undefined : `strconv.ParseBool: parsing ${quote(value)}: invalid syntax`;
}

function quote(value: string): string {
  return JSON.stringify(value.slice(0, 200));
}

function isOn(value: string | undefined): boolean {
  return value === undefined || /^(?:1|t|true)$/i.test(value);
}
