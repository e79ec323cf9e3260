import { EngineError } from '../errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const PART = /^(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/;
const MAX_NANOSECONDS = 2 ** 63;

/** A duration such as `1m30s` in nanoseconds; InvalidArgument in Go's words. */
export function parseDuration(text: string): number {
  const invalid = (): EngineError =>
    new EngineError('InvalidArgument', `time: invalid duration ${JSON.stringify(text)}`);
  const isNegative = text.startsWith('-');
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0;
  if (rest === '') throw invalid();
  let total = 0;
  while (rest !== '') {
    const match = PART.exec(rest);
    if (!match) {
      const isBare = /^(\d+\.?\d*|\.\d+)$/.test(rest);
      throw isBare
        ? new EngineError('InvalidArgument', `time: missing unit in duration ${JSON.stringify(text)}`)
        : invalid();
    }
    const [whole, amount = '', unit = ''] = match;
    total += Math.round(Number(amount) * (UNITS[unit] ?? 0));
    rest = rest.slice(whole.length);
  }
  if (total >= MAX_NANOSECONDS) throw invalid();
  return isNegative ? -total : total;
}

/** A duration as Go prints it: `1m30s`, `500ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${trimZeros(nanoseconds / 1e3, 3)}µs`;
  if (nanoseconds < 1e9) return `${trimZeros(nanoseconds / 1e6, 6)}ms`;
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = `${trimZeros((nanoseconds % 60e9) / 1e9, 9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function trimZeros(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, '');
}
