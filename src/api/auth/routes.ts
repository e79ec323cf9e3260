import { loginRegistry } from '../../engine/images/login-registry.ts';
import type { LoginRequest } from '../../wire/login-request.ts';
import { object, string, type Decoded, type Place } from '../http/decode.ts';
import { known } from '../http/known.ts';
import { inGroup } from '../http/route-group.ts';
import type { Route, RouteContext } from '../http/route.ts';
import { parseJsonBody } from '../http/strict-json.ts';

const authConfig = object<LoginRequest>({
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
  const { job, body, signal } = context;
  await loginRegistry(job, known(job, 'login', decodeLogin(body)), signal);
  context.json(200, { IdentityToken: '', Status: 'Login Succeeded' });
}

/** Decodes the body; InvalidArgument for what is none. */
export function decodeLogin(body: Uint8Array): Decoded<LoginRequest> {
  const place: Place = { struct: 'AuthConfig', path: '', ignored: [] };
  return { request: authConfig(parseJsonBody(body), place), ignored: place.ignored };
}
