import type { IntendedDifference } from './intended.ts';

const GONE = '127.0.0.1:1/gone';

/** Where images and registries are answered otherwise on purpose. */
export const INTENDED_FOR_IMAGES: readonly IntendedDifference[] = [
  {
    asks: ['GET /images/*/json*'],
    at: ['DockerVersion', 'Config.Hostname', 'Config.Image'],
    berth: '""',
    about: 'image: what made it',
    why: 'newer versions write nothing of the container or of themselves',
  },
  {
    asks: [`POST /images/${GONE}/push?tag=1`, `POST /images/${GONE}/push?tag=2`],
    at: ['body', '*.message', '*.error'],
    berth: ['*"Preparing"*', '"tag does not exist: *'],
    about: 'push',
    why: 'what there is to push is looked at before the registry is',
  },
  {
    asks: [`POST /images/${GONE}/push?tag=1&auth=none`],
    at: ['status', 'message', 'body', 'header *'],
    about: 'push without X-Registry-Auth',
    why: 'newer: one without credentials',
  },
  {
    asks: ['POST /auth *', 'GET /distribution/*'],
    at: ['status', 'message'],
    berth: ['503', '"Get *', '"manifest for *'],
    about: 'auth, distribution',
    why: 'a registry that cannot be reached is a 503; what was asked for is shown',
  },
];
