import { EngineError } from '../errors.ts';

/** A number over zero; InvalidArgument names the setting. */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new EngineError('InvalidArgument', `${name} must be a positive number, not "${text}"`);
}

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
  ['t', 2 ** 40],
]);

/** Bytes as `docker run --memory` writes them: 512m, 4g, or plain digits. */
export function sizeBytes(name: string, value: string | number): number {
  const [, digits = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?)([bkmgt]?)(?:i?b)?$/i.exec(String(value)) ?? [];
  const bytes = Math.floor(Number(digits) * (UNIT_BYTES.get(unit.toLowerCase()) ?? 1));
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new EngineError(
    'InvalidArgument',
    `${name} is a number of bytes, or one with a unit as in 4g, not "${String(value)}"`,
  );
}
