import { describe, expect, it } from 'vitest';
import { gateWith } from '../../test/support/gate-fixtures.ts';
import { specOf } from '../../test/support/spec-fixtures.ts';
import { admitExec } from '../policy/privileged-gate.ts';
import { buildExecProcess } from './build-exec-process.ts';

describe('buildExecProcess', () => {
  const container = specOf({
    HostConfig: {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
    },
    WorkingDir: '/srv',
  });
  const request = {
    argv: ['sh'],
    env: ['A=2', 'PATH'],
    user: '',
    workingDir: '',
    tty: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
    privileged: false,
    consoleSize: undefined,
  };
  const user = { uid: 1, gid: 2, additionalGids: [2] };

  it('is confined as its container is', () => {
    const { admitted } = admitExec(request, gateWith(false));
    expect(buildExecProcess(admitted, container, user)).toEqual({
      terminal: false,
      user,
      args: ['sh'],
      env: ['A=2'],
      cwd: '/srv',
      capabilities: container.process.capabilities,
      rlimits: container.process.rlimits,
      noNewPrivileges: true,
    });
  });

  it('takes what it asks for', () => {
    const asked = {
      ...request,
      tty: true,
      workingDir: '/tmp',
      consoleSize: [5, 6] as const,
      privileged: true,
    };
    const { admitted } = admitExec(asked, gateWith(true, { lastCap: 1 }));
    expect(buildExecProcess(admitted, container, user)).toMatchObject({
      terminal: true,
      consoleSize: { height: 5, width: 6 },
      cwd: '/tmp',
      env: ['A=2', 'TERM=xterm'],
      capabilities: { bounding: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE'], inheritable: [] },
    });
  });
});
