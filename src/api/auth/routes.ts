import { loginRegistry } from '../../engine/images/login-registry.ts';
import { EngineError } from '../../errors.ts';
import { object, string, type Place } from '../http/decode.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { parseJsonBody } from '../http/strict-json.ts';

interface AuthConfig {
  readonly username: string;
  readonly password: string;
  /** User and password together, as files keep them; not used here. */
  readonly auth: string;
  readonly email: string;
  readonly serveraddress: string;
  readonly identitytoken: string;
  readonly registrytoken: string;
}

const authConfig = object<AuthConfig>({
  username: string,
  password: string,
  auth: string,
  email: string,
  serveraddress: string,
  identitytoken: string,
  registrytoken: string,
});

/** `/auth` */
export const authRoutes: readonly Route[] = inGroup('auth', [
  { method: 'POST', path: '/auth', body: 'json', handle: login },
]);

async function login(context: RouteContext): Promise<void> {
  const place: Place = { struct: 'AuthConfig', path: '', ignored: [] };
  const { username, password, serveraddress, identitytoken, registrytoken } = authConfig(
    parseJsonBody(context.body),
    place,
  );
  if (/[\r\n]/.test(username)) throw new EngineError('InvalidArgument', 'invalid username');
  await loginRegistry(context.job, {
    serverAddress: serveraddress,
    credentials: { username, password, identityToken: identitytoken, registryToken: registrytoken },
    signal: context.signal,
  });
  context.json(200, { IdentityToken: '', Status: 'Login Succeeded' });
}
