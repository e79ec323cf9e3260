import { describe, expect, it } from 'vitest';
import { decodeExec } from '../../src/api/containers/decode-exec.ts';
import type { GateContext } from '../../src/policy/gate-context.ts';
import { admitExec, type Admission, type CheckedExec } from '../../src/policy/privileged-gate.ts';
import { gateWith, outcomeOf } from '../support/gate-fixtures.ts';

function admit(body: string, gate: GateContext = gateWith(false)): Admission<CheckedExec> {
  return admitExec(decodeExec(new TextEncoder().encode(body), '1.51').request, gate);
}

describe('exec', () => {
  it.each<[string, string, string]>([
    ['Privileged', '{"Cmd":["id"],"Privileged":true}', 'PermissionDenied'],
    ['an escaped Privileged', '{"Cmd":["id"],"Priv\\u0069leged":true}', 'PermissionDenied'],
    ['a lower-case privileged', '{"Cmd":["id"],"privileged":true}', 'InvalidArgument'],
    ['Privileged twice', '{"Cmd":["id"],"Privileged":false,"Privileged":true}', 'InvalidArgument'],
    ['Privileged as a string', '{"Cmd":["id"],"Privileged":"false"}', 'InvalidArgument'],
    ['CapAdd', '{"Cmd":["id"],"CapAdd":["ALL"]}', 'InvalidArgument'],
    ['no command', '{}', 'InvalidArgument'],
    ['an empty command', '{"Cmd":[]}', 'InvalidArgument'],
    ['an empty program', '{"Cmd":[""]}', 'InvalidArgument'],
    ['a number as command', '{"Cmd":[1]}', 'InvalidArgument'],
    ['a null in the command', '{"Cmd":["a",null]}', 'InvalidArgument'],
    ['a user out of range', '{"Cmd":["id"],"User":"4294967296"}', 'InvalidArgument'],
    ['a negative user', '{"Cmd":["id"],"User":"-1"}', 'InvalidArgument'],
    ['a user in three parts', '{"Cmd":["id"],"User":"a:b:c"}', 'InvalidArgument'],
    ['a relative working directory', '{"Cmd":["id"],"WorkingDir":"x"}', 'InvalidArgument'],
    ['a descriptor as working directory', '{"Cmd":["id"],"WorkingDir":"/proc/self/fd/7"}', 'InvalidArgument'],
    ['an environment entry without name', '{"Cmd":["id"],"Env":["=x"]}', 'InvalidArgument'],
    ['a command as a string', '{"Cmd":"id"}', 'admitted'],
    [
      'an ordinary request',
      '{"Cmd":["id"],"User":"1000:1000","Env":["A=b"],"Tty":true,"WorkingDir":"/tmp"}',
      'admitted',
    ],
  ])('%s', (_, body, kind) => {
    expect(outcomeOf(() => admit(body)).kind).toBe(kind);
  });

  it('names the field and the setting in its refusal', () => {
    const { text } = outcomeOf(() => admit('{"Cmd":["id"],"Privileged":true}'));
    expect(text).toMatch(/^exec privileged true is refused: /);
    expect(text).toContain('dind.allow_privileged = true');
  });

  it('grants a privileged process all that can be granted when the gate is open, others what their container has', () => {
    const gate = gateWith(true, { lastCap: 40, boundingSet: 0b101n });
    expect(admit('{"Cmd":["id"],"Privileged":true}', gate).admitted.capabilities).toEqual([
      'CAP_CHOWN',
      'CAP_DAC_READ_SEARCH',
    ]);
    expect(admit('{"Cmd":["id"]}', gate).admitted.capabilities).toBeUndefined();
  });
});
