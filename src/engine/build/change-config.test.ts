import { expect, test } from 'vitest';
import { parseStages } from '../../dockerfile/parse-stages.ts';
import { variablesOf } from '../../dockerfile/expand-word.ts';
import { emptyImage } from './built-image.ts';
import { changeConfig } from './change-config.ts';
import { expandInstruction } from './expand-instruction.ts';

const { config } = emptyImage({ os: 'linux', architecture: 'amd64', variant: '' }).config;

/** What the instructions of a stage make of the configuration of nothing. */
function configAfter(...lines: readonly string[]): typeof config {
  const { stages, escape } = parseStages(['FROM scratch', ...lines].join('\n'));
  let result = config;
  for (const written of stages[0]?.instructions ?? []) {
    const instruction = expandInstruction(written, variablesOf(result.env), { escape });
    result = changeConfig(result, instruction, { isCmdSet: false })?.config ?? result;
  }
  return result;
}

// Each seen at a dockerd 20.10, with Dockerfiles made by chance.

test('a CMD of nothing is the shell, an ENTRYPOINT of nothing is none', () => {
  expect(configAfter('CMD').cmd).toEqual(['/bin/sh', '-c']);
  for (const none of ['ENTRYPOINT', 'ENTRYPOINT []'])
    expect(configAfter('ENTRYPOINT ["a"]', none).entrypoint).toBeUndefined();
});

test.each([
  ['ENV ${NONE} "K L"', 'invalid environment variable: =K L'],
  ['ENV ${NONE}=a', 'invalid environment variable: =a'],
  ['VOLUME $NONE', 'VOLUME specified can not be an empty string'],
  ['VOLUME ""', 'VOLUME specified can not be an empty string'],
])('%s, which comes to nothing, fails', (line, words) => {
  expect(() => configAfter(line)).toThrow(words);
});

test('what a trigger is, is looked at when it is pulled', () => {
  expect(configAfter('ONBUILD NOTHING that is known').onBuild).toEqual(['NOTHING that is known']);
});
