import { describe, expect, it } from 'vitest';
import { hostSpec } from '../../test/support/spec-fixtures.ts';
import { decodeSpec, encodeSpec } from './encode-spec.ts';

describe('rlimits', () => {
  const ulimits = {
    Ulimits: [
      { Name: 'core', Soft: -1, Hard: -1 },
      { Name: 'nofile', Soft: 10, Hard: 20 },
    ],
  };

  it("are written with the kernel's infinity, and read back", () => {
    const spec = hostSpec(ulimits);
    const text = encodeSpec(spec);
    expect(text).toContain('{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":18446744073709551615}');
    expect(text).toContain('{"type":"RLIMIT_NOFILE","hard":20,"soft":10}');
    expect(decodeSpec(text)).toEqual(spec);
  });

  it('cannot be forged from a string', () => {
    const spec = hostSpec(ulimits, { argv: ['"hard":"unlimited"'] });
    expect(decodeSpec(encodeSpec(spec)).process.args).toEqual(['"hard":"unlimited"']);
  });
});
