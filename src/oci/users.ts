import { EngineError } from '../errors.ts';
import type { OciUser } from './spec-types.ts';

/** What a user is looked up in: text of the container's own files, empty where it has none. */
export interface UserDatabase {
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const MAX_ID = 2 ** 31 - 1;
const DIGITS = /^[0-9]+$/;

/**
 * Resolves `Config.User` (name, uid, each with `:group`; empty is root) and `GroupAdd`, as dockerd does: an id
 * need not be in the files, a name must. InvalidArgument otherwise. The group is always among the additional ones.
 */
export function resolveUser(spec: string, database: UserDatabase, groupAdd: readonly string[] = []): OciUser {
  const [userPart = '', groupPart = ''] = spec.split(':');
  const groups = parseGroup(database.group);
  const entry = findUser(userPart, parsePasswd(database.passwd));
  const uid = entry?.uid ?? unlistedId(userPart, 'user');
  const gid = groupPart === '' ? (entry?.gid ?? 0) : resolveGroup(groupPart, groups);
  const supplementary =
    groupPart === '' && entry
      ? groups.filter(({ members }) => members.includes(entry.name)).map((group) => group.gid)
      : [];
  const added = groupAdd.map((group) => resolveGroup(group, groups));
  return { uid, gid, additionalGids: [...new Set([gid, ...supplementary, ...added])] };
}

function findUser(user: string, entries: readonly PasswdEntry[]): PasswdEntry | undefined {
  if (user === '' || DIGITS.test(user)) {
    return entries.find(({ uid }) => uid === Number(user));
  }
  return entries.find(({ name }) => name === user);
}

function resolveGroup(group: string, entries: readonly GroupEntry[]): number {
  const found = DIGITS.test(group)
    ? entries.find(({ gid }) => gid === Number(group))
    : entries.find(({ name }) => name === group);
  return found?.gid ?? unlistedId(group, 'group');
}

function unlistedId(text: string, kind: 'user' | 'group'): number {
  if (text === '') {
    return 0;
  }
  if (!DIGITS.test(text)) {
    const file = kind === 'user' ? 'passwd' : 'group';
    throw new EngineError(
      'InvalidArgument',
      `unable to find ${kind} ${text.slice(0, 100)}: no matching entries in ${file} file`,
    );
  }
  if (Number(text) > MAX_ID) {
    throw new EngineError('InvalidArgument', `uids and gids must be in range 0-${MAX_ID}`);
  }
  return Number(text);
}

/** An id of a file, or undefined: files come from images, and a line may say anything. */
function listedId(text: string | undefined): number | undefined {
  return text !== undefined && DIGITS.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined;
}

function fieldsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return fieldsOf(text).flatMap(([name = '', , uidText, gidText]) => {
    const uid = listedId(uidText);
    const gid = listedId(gidText);
    return name === '' || uid === undefined || gid === undefined ? [] : [{ name, uid, gid }];
  });
}

function parseGroup(text: string): readonly GroupEntry[] {
  return fieldsOf(text).flatMap(([name = '', , gidText, members = '']) => {
    const gid = listedId(gidText);
    return name === '' || gid === undefined ? [] : [{ name, gid, members: members.split(',') }];
  });
}
