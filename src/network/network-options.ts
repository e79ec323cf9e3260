import { ShapeError } from '../errors.ts';
import type { NetworkFacts } from './types.ts';

const mtuOption = 'com.docker.network.driver.mtu';
const talkOption = 'com.docker.network.bridge.enable_icc';
const masqueradeOption = 'com.docker.network.bridge.enable_ip_masquerade';
const nameOption = 'com.docker.network.bridge.name';
const defaultMtu = 1500;

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

/** InvalidArgument for an option that is not known or that has no such value. */
export function checkNetworkOptions(options: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(options)) if (!isValid(name, value)) throw refusal(name, value);
}

function isValid(name: string, value: string): boolean {
  switch (name) {
    case mtuOption:
      return (
        /^\d{1,5}$/.test(value) && (Number(value) === 0 || (Number(value) >= 68 && Number(value) <= 65_535))
      );
    case talkOption:
    case masqueradeOption:
      return /^(?:1|t|true|0|f|false)$/i.test(value);
    case nameOption:
      return true;
    default:
      return false;
  }
}

function refusal(name: string, value: string): ShapeError {
  const text = JSON.stringify(`${name}=${value}`.slice(0, 200));
  return new ShapeError(`unsupported network option: ${text}`);
}

function isOn(value: string | undefined): boolean {
  return value === undefined || /^(?:1|t|true)$/i.test(value);
}
