import { BERTH_VERSION } from '../../version.ts';

/** What berth calls itself in the `Server` header, in the form that dockerd uses. */
export const SERVER_NAME = `berth/${BERTH_VERSION} (linux)`;
