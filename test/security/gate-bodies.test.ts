import { describe, expect, it } from 'vitest';
import { admitText, decodeText, outcomeOf } from '../support/gate-fixtures.ts';

const DENIED = 'PermissionDenied';
const BAD = 'InvalidArgument';

describe('create refuses bodies that are not what they seem', () => {
  it.each<[string, string, string]>([
    ['an escaped key', '{"Image":"x","HostConfig":{"Priv\\u0069leged":true}}', DENIED],
    ['a lower-case HostConfig', '{"Image":"x","hostconfig":{"privileged":true}}', BAD],
    ['an upper-case HostConfig', '{"Image":"x","HOSTCONFIG":{"Privileged":true}}', BAD],
    ['a HostConfig with a capital G', '{"Image":"x","HostConfiG":{"Privileged":true}}', BAD],
    ['a HostConfig with a long s', '{"Image":"x","Ho\u017ftConfig":{"Privileged":true}}', BAD],
    ['an escaped long s', '{"Image":"x","Ho\\u017ftConfig":{"Privileged":true}}', BAD],
    ['a lower-case Privileged', '{"Image":"x","HostConfig":{"privileged":true}}', BAD],
    ['a lower-case CapAdd with nothing in it', '{"Image":"x","HostConfig":{"capadd":[]}}', BAD],
    ['a Kelvin sign', '{"Image":"x","HostConfig":{"Networ\u212aMode":"host"}}', BAD],
    [
      'Privileged twice, true first',
      '{"Image":"x","HostConfig":{"Privileged":true,"Privileged":false}}',
      BAD,
    ],
    [
      'Privileged twice, false first',
      '{"Image":"x","HostConfig":{"Privileged":false,"Privileged":true}}',
      BAD,
    ],
    ['HostConfig twice', '{"Image":"x","HostConfig":{"Privileged":true},"HostConfig":{}}', BAD],
    [
      '__proto__ as a body',
      '{"Image":"x","__proto__":{"HostConfig":{"Privileged":true}},"HostConfig":{}}',
      'admitted',
    ],
    ['__proto__ in HostConfig', '{"Image":"x","HostConfig":{"__proto__":{"Privileged":true}}}', 'admitted'],
    ['legacy Capabilities', '{"Image":"x","HostConfig":{"Capabilities":["ALL"]}}', BAD],
    ['a field that sounds elevating', '{"Image":"x","HostConfig":{"PrivilegedMode":true}}', BAD],
    ['Privileged as "true"', '{"Image":"x","HostConfig":{"Privileged":"true"}}', BAD],
    ['Privileged as 1', '{"Image":"x","HostConfig":{"Privileged":1}}', BAD],
    ['Privileged as [true]', '{"Image":"x","HostConfig":{"Privileged":[true]}}', BAD],
    ['Privileged as {}', '{"Image":"x","HostConfig":{"Privileged":{}}}', BAD],
    ['CapAdd [""]', '{"Image":"x","HostConfig":{"CapAdd":[""]}}', BAD],
    ['CapAdd [null]', '{"Image":"x","HostConfig":{"CapAdd":[null]}}', BAD],
    ['CapAdd as an object', '{"Image":"x","HostConfig":{"CapAdd":{"0":"ALL","length":1}}}', BAD],
    ['CapAdd with a blank', '{"Image":"x","HostConfig":{"CapAdd":["CAP_Sys_Admin "]}}', BAD],
    ['CapAdd as an empty string', '{"Image":"x","HostConfig":{"CapAdd":""}}', BAD],
    ['SecurityOpt as a string', '{"Image":"x","HostConfig":{"SecurityOpt":"seccomp=unconfined"}}', BAD],
    ['SecurityOpt with a blank', '{"Image":"x","HostConfig":{"SecurityOpt":[" seccomp=unconfined"]}}', BAD],
    ['SecurityOpt with capitals', '{"Image":"x","HostConfig":{"SecurityOpt":["Seccomp=Unconfined"]}}', BAD],
    ['seccomp=UNCONFINED', '{"Image":"x","HostConfig":{"SecurityOpt":["seccomp=UNCONFINED"]}}', BAD],
    ['seccomp= without a value', '{"Image":"x","HostConfig":{"SecurityOpt":["seccomp="]}}', BAD],
    ['seccomp alone', '{"Image":"x","HostConfig":{"SecurityOpt":["seccomp"]}}', BAD],
    ['=unconfined', '{"Image":"x","HostConfig":{"SecurityOpt":["=unconfined"]}}', BAD],
    [
      'no-new-privileges=maybe',
      '{"Image":"x","HostConfig":{"SecurityOpt":["no-new-privileges=maybe"]}}',
      BAD,
    ],
    ['a path as seccomp profile', '{"Image":"x","HostConfig":{"SecurityOpt":["seccomp=/etc/x.json"]}}', BAD],
    ['NUL in a mode', '{"Image":"x","HostConfig":{"NetworkMode":"default\\u0000host"}}', BAD],
    ['HostConfig as an array', '{"Image":"x","HostConfig":[]}', BAD],
    ['HostConfig as a string', '{"Image":"x","HostConfig":"{}"}', BAD],
    ['an array as body', '[]', BAD],
    ['a float as Memory', '{"Image":"x","HostConfig":{"Memory":1.5}}', BAD],
    ['1e308 as Memory', '{"Image":"x","HostConfig":{"Memory":1e308}}', BAD],
    ['2^63 as Memory', '{"Image":"x","HostConfig":{"Memory":9223372036854775808}}', BAD],
    ['a negative Memory', '{"Image":"x","HostConfig":{"Memory":-1}}', BAD],
    ['NaN as Memory', '{"Image":"x","HostConfig":{"Memory":NaN}}', BAD],
    ['2^62 as CpuShares', '{"Image":"x","HostConfig":{"CpuShares":4611686018427387904}}', BAD],
  ])('%s', (_, body, kind) => {
    expect(outcomeOf(() => admitText(body)).kind).toBe(kind);
  });

  it('does not inherit privilege from a prototype in the body', () => {
    const { admitted } = admitText('{"Image":"x","HostConfig":{"__proto__":{"Privileged":true}}}');
    expect(admitted.hostConfig.Privileged).toBe(false);
    expect(admitted.security.privileged).toBe(false);
  });

  it('tells about the fields it does not know, unless they ask for nothing', () => {
    const body = '{"Image":"x","Odd":"y","HostConfig":{"Frobnicate":3,"Unused":0,"Empty":[],"Absent":null}}';
    expect(decodeText(body).ignored).toEqual(['Odd', 'HostConfig.Frobnicate']);
  });
});
