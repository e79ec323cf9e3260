import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { EngineError, messageOf } from '../errors.ts';
import { createRandomId } from '../lib/random-id.ts';
import type { EnvironmentFormat } from '../config/schema.ts';

type Variables = Readonly<Record<string, string>>;

/** Needs no quotes in any reader of such files, a shell included. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./[\]-]*$/;

/** The variables as text of that format; InvalidArgument for a value that the format has no way to write. */
export function formatEnvironment(variables: Variables, format: EnvironmentFormat): string {
  const lines = Object.entries(variables).map(([name, value]) => formatVariable(name, value, format));
  return `${lines.join('\n')}\n`;
}

function formatVariable(name: string, value: string, format: EnvironmentFormat): string {
  const refuse = (why: string): EngineError =>
    new EngineError('InvalidArgument', `${name} cannot be written to the environment file: ${why}`);
  switch (format) {
    case 'github': {
      if (!/[\r\n]/.test(value)) return `${name}=${value}`;
      const end = `end-${createRandomId().slice(0, 16)}`;
      return `${name}<<${end}\n${value}\n${end}`;
    }
    case 'gitlab':
      // Taken as it is, quotes and all, but for space around it.
      if (/[\r\n]/.test(value) || value.trim() !== value) throw refuse('it has lines, or space around it');
      return `${name}=${value}`;
    case 'dotenv':
      if (PLAIN.test(value)) return `${name}=${value}`;
      if (/['\r\n]/.test(value)) throw refuse('it has lines or single quotes');
      return `${name}='${value}'`;
  }
}

/**
 * Writes the variables where a runner reads them: added to the file of GitHub's runner, which holds those of others too,
 * and in place of the file otherwise. A link there is never followed.
 */
export async function writeEnvironmentFile(
  path: string,
  format: EnvironmentFormat,
  variables: Variables,
): Promise<void> {
  const text = formatEnvironment(variables, format);
  try {
    if (format === 'github') await addTo(path, text);
    else await replace(path, text);
  } catch (error) {
    throw new EngineError('InvalidArgument', `cannot write the environment file: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function addTo(path: string, text: string): Promise<void> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o644);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

async function replace(path: string, text: string): Promise<void> {
  const next = `${path}.${createRandomId().slice(0, 16)}`;
  try {
    const file = await open(next, 'wx', 0o644);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
