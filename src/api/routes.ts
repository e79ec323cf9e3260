import { authRoutes } from './auth/routes.ts';
import { commitRoutes } from './containers/commit.ts';
import { buildRoutes } from './build/routes.ts';
import { containerRoutes } from './containers/routes.ts';
import { distributionRoutes } from './distribution/routes.ts';
import { execRoutes } from './exec/routes.ts';
import { imageRoutes } from './images/routes.ts';
import { networkRoutes } from './networks/routes.ts';
import { systemRoutes } from './system/routes.ts';
import { volumeRoutes } from './volumes/routes.ts';
import type { Route } from './http/route.ts';

/** Every endpoint of the Docker API that berth knows. */
export const routes: readonly Route[] = [
  ...systemRoutes,
  ...authRoutes,
  ...containerRoutes,
  ...commitRoutes,
  ...buildRoutes,
  ...execRoutes,
  ...imageRoutes,
  ...distributionRoutes,
  ...networkRoutes,
  ...volumeRoutes,
];
