import type { LoginRequest } from '../wire/login-request.ts';
import { bad, unless, type CheckOnly, type RuleTable } from './rule.ts';

const SECRET: CheckOnly<string, object> = {
  verdict: 'free',
  reason: 'sent to the registry that it is for, and kept nowhere',
  isSecret: true,
};

/** The gate's table for `POST /auth`: one row for every field that is decoded. */
export const LOGIN_RULES: RuleTable<LoginRequest, object> = {
  username: {
    verdict: 'bad',
    reason: 'it becomes part of a header',
    isSecret: true,
    check: (username) => unless(!/[\r\n]/.test(username), bad('invalid username')),
  },
  password: SECRET,
  auth: SECRET,
  email: SECRET,
  serveraddress: {
    verdict: 'bad',
    reason: "a registry, by a name that stands before images; whom berth speaks to is the operator's setting",
  },
  identitytoken: SECRET,
  registrytoken: SECRET,
};
