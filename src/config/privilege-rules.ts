import { EngineError } from '../errors.ts';
import { normalizeCapability } from '../policy/capabilities.ts';
import { refuseImagePattern } from '../policy/image-pattern.ts';
import type { PrivilegeRule } from '../policy/privilege-rule.ts';

const KEYS = ['image', 'privileged', 'capabilities', 'devices', 'security_opt'];

/** Reads the rules of `[[dind.allow_privileged]]`; a rule that says nothing, or anything else, is an error that names it. */
export function readPrivilegeRules(path: string, list: readonly unknown[]): readonly PrivilegeRule[] {
  return list.map((item, index) => readRule(`${path}[${index}]`, item));
}

/** A pattern of images as the file has it, or an error that names the key. */
export function imagePattern(path: string, text: string): string {
  const why = refuseImagePattern(text);
  if (why === undefined) return text;
  throw wrong(`${path}: ${JSON.stringify(text)} is no pattern of images: ${why}`);
}

function readRule(path: string, item: unknown): PrivilegeRule {
  if (typeof item !== 'object' || item === null || Array.isArray(item) || item instanceof Date)
    throw wrong(`${path} must be a table with an image`);
  const rule = new Map(Object.entries(item));
  const unknown = [...rule.keys()].find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw wrong(`unknown key ${path}.${unknown}`);
  const image: unknown = rule.get('image');
  if (typeof image !== 'string') throw wrong(`${path}.image must be a string`);
  const privileged: unknown = rule.get('privileged') ?? false;
  if (typeof privileged !== 'boolean') throw wrong(`${path}.privileged must be true or false`);
  const read = {
    image: imagePattern(`${path}.image`, image),
    privileged,
    capabilities: words(`${path}.capabilities`, rule.get('capabilities')).map((name) =>
      capability(`${path}.capabilities`, name),
    ),
    devices: words(`${path}.devices`, rule.get('devices')).map((device) => devicePath(path, device)),
    securityOptions: words(`${path}.security_opt`, rule.get('security_opt')),
  };
  if (!privileged && [...read.capabilities, ...read.devices, ...read.securityOptions].length === 0)
    throw wrong(`${path} allows nothing: it needs privileged, capabilities, devices or security_opt`);
  return read;
}

function words(path: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw wrong(`${path} must be a list of strings`);
}

function capability(path: string, name: string): string {
  const known = normalizeCapability(name);
  if (known === undefined) throw wrong(`${path}: unknown capability ${JSON.stringify(name)}`);
  return known;
}

function devicePath(path: string, device: string): string {
  if (/^\/dev\/[^\s]+$/.test(device) && !device.split('/').includes('..')) return device;
  throw wrong(`${path}.devices: ${JSON.stringify(device)} is no path below /dev`);
}

function wrong(message: string): EngineError {
  return new EngineError('InvalidArgument', message);
}
