import { expect, it } from 'vitest';
import { decodeExec } from './decode-exec.ts';

function decode(text: string): ReturnType<typeof decodeExec> {
  return decodeExec(new TextEncoder().encode(text), '1.51');
}

it('decodes what a client asks for', () => {
  const body = {
    Cmd: ['a', 'b'],
    Env: ['A=1'],
    User: 'u',
    WorkingDir: '/w',
    Tty: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: false,
    DetachKeys: 'ctrl-p',
    Privileged: false,
    ConsoleSize: [24, 80],
    Odd: 1,
  };
  expect(decode(JSON.stringify(body))).toEqual({
    request: {
      argv: ['a', 'b'],
      env: ['A=1'],
      user: 'u',
      workingDir: '/w',
      tty: true,
      attachStdin: true,
      attachStdout: true,
      attachStderr: false,
      detachKeys: 'ctrl-p',
      privileged: false,
      consoleSize: [24, 80],
    },
    ignored: ['Odd'],
  });
});

it('takes a bare string for a command, and nulls for nothing', () => {
  expect(decode('{"Cmd":"id","Env":null,"ConsoleSize":null,"Container":"x"}')).toMatchObject({
    request: { argv: ['id'], env: [], consoleSize: undefined },
    ignored: [],
  });
});

it.each(['{}', '{"Cmd":[]}', '{"Cmd":null}', '{"Cmd":""}', '{"Cmd":[""]}'])('%s is no command', (text) => {
  expect(() => decode(text)).toThrow(
    expect.objectContaining({ kind: 'InvalidArgument', message: 'No exec command specified' }),
  );
});
