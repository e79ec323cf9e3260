import { builds } from './requests/builds.ts';
import { containerCreation } from './requests/container-create.ts';
import { containerErrors } from './requests/container-errors.ts';
import { containerLists } from './requests/container-list.ts';
import { containerStates } from './requests/container-states.ts';
import { containerStreams } from './requests/container-streams.ts';
import { edge } from './requests/edge.ts';
import { events, healthEvents } from './requests/events.ts';
import { imageEvents } from './requests/events-images.ts';
import { exec } from './requests/exec.ts';
import { files } from './requests/files.ts';
import { imageLifecycle } from './requests/image-lifecycle.ts';
import { imageTransfers } from './requests/image-transfers.ts';
import { images } from './requests/images.ts';
import { joinedNamespaces } from './requests/joined-namespaces.ts';
import { networks } from './requests/networks.ts';
import { rareParameters } from './requests/rare-parameters.ts';
import { rareVerbs } from './requests/rare-verbs.ts';
import { registry } from './requests/registry.ts';
import { system } from './requests/system.ts';
import { volumes } from './requests/volumes.ts';
import { webSocket } from './requests/web-socket.ts';
import type { RequestTable } from './request.ts';

/** All requests; each table removes what it made. */
export const REQUEST_TABLES: readonly RequestTable[] = [
  system,
  edge,
  images,
  imageTransfers,
  imageLifecycle,
  containerCreation,
  containerErrors,
  containerLists,
  containerStates,
  joinedNamespaces,
  containerStreams,
  webSocket,
  rareVerbs,
  rareParameters,
  exec,
  files,
  networks,
  volumes,
  events,
  healthEvents,
  imageEvents,
  registry,
  builds,
];
