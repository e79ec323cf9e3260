import { ShapeError } from '../../errors.ts';
import type { Container } from '../../state/container.ts';
import {
  booleanFilter,
  checkFilterNames,
  matchesExactly,
  matchesLabels,
  matchesPattern,
  type Filters,
} from '../filters.ts';
import type { Job } from '../job.ts';
import { describeNetworks } from './describe-networks.ts';
import { statusOf } from './describe-state.ts';
import { findAncestors } from './list-ancestors.ts';
import { parsePortFilter, type WantedPort } from './list-port-filter.ts';
import { summarizePorts } from './list-ports.ts';

/** Filters of `GET /containers/json`. */
export const CONTAINER_FILTERS = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
const STATUSES = ['created', 'dead', 'exited', 'paused', 'removing', 'restarting', 'running'];
const HEALTHS = ['healthy', 'none', 'starting', 'unhealthy'];

/** What the list shows besides the containers that run. */
export interface ListSelection {
  /** True when the filter speaks of states, so that stopped containers count too. */
  readonly includesStopped: boolean;
  matches(container: Container): boolean;
}

type Condition = (container: Container) => boolean;

/** Checks the filters of `GET /containers/json`, in dockerd's words and order, and turns them into one condition. */
export function selectContainers(job: Job, filters: Filters): ListSelection {
  checkFilterNames(filters, CONTAINER_FILTERS);
  const conditions: readonly (Condition | undefined)[] = [
    exitedCondition(filters),
    statusCondition(filters),
    taskCondition(filters),
    healthCondition(filters),
    ...orderConditions(job, filters),
    ancestorCondition(job, filters),
    portCondition(filters),
    nameCondition(filters),
    (container) => matchesPattern(filters, 'id', container.id),
    (container) => matchesLabels(filters, container.record.config.Labels),
    volumeCondition(filters),
    networkCondition(job, filters),
  ];
  const active = conditions.filter((condition) => condition !== undefined);
  return {
    includesStopped: hasValues(filters, 'status'),
    matches: (container) => active.every((condition) => condition(container)),
  };
}

/** Throws for filters that `GET /containers/json` refuses whatever the job has. */
export function checkContainerFilters(filters: Filters): void {
  checkFilterNames(filters, CONTAINER_FILTERS);
  for (const check of [exitedCondition, statusCondition, taskCondition, healthCondition, portCondition])
    check(filters);
}

function valuesOf(filters: Filters, name: string): readonly string[] {
  return filters.get(name) ?? [];
}

function hasValues(filters: Filters, name: string): boolean {
  return valuesOf(filters, name).length > 0;
}

function exitedCondition(filters: Filters): Condition | undefined {
  const codes = valuesOf(filters, 'exited').map((value) => {
    if (!/^[+-]?\d{1,15}$/.test(value))
      throw new ShapeError(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
    return Number(value);
  });
  if (codes.length === 0) return undefined;
  return ({ record: { state } }) =>
    (state.status === 'exited' || state.status === 'dead') && codes.includes(state.exitCode);
}

function statusCondition(filters: Filters): Condition | undefined {
  for (const value of valuesOf(filters, 'status'))
    if (!STATUSES.includes(value)) throw new ShapeError(`invalid filter 'status=${value}'`);
  return (container) => matchesExactly(filters, 'status', statusOf(container));
}

// Tasks are swarm's; no container here is one.
function taskCondition(filters: Filters): Condition | undefined {
  return booleanFilter(filters, 'is-task') === true ? () => false : undefined;
}

function healthCondition(filters: Filters): Condition | undefined {
  for (const value of valuesOf(filters, 'health'))
    if (!HEALTHS.includes(value)) throw new ShapeError(`unrecognized filter value for health: ${value}`);
  return ({ health }) => matchesExactly(filters, 'health', health?.status ?? 'none');
}

// The containers of a name are listed newest first: `before` is what was made earlier, `since` what later.
function orderConditions(job: Job, filters: Filters): readonly Condition[] {
  const createdAt = (name: string): readonly string[] =>
    valuesOf(filters, name).map((ref) => job.containers.resolve(ref).record.createdAt);
  const befores = createdAt('before');
  const sinces = createdAt('since');
  return [
    ({ record }) => befores.every((time) => record.createdAt < time),
    ({ record }) => sinces.every((time) => record.createdAt > time),
  ];
}

function ancestorCondition(job: Job, filters: Filters): Condition | undefined {
  if (!hasValues(filters, 'ancestor')) return undefined;
  const imageIds = findAncestors(job, valuesOf(filters, 'ancestor'));
  return ({ record }) => imageIds.has(record.imageId);
}

function portCondition(filters: Filters): Condition | undefined {
  const published = valuesOf(filters, 'publish').map((value) => parsePortFilter('publish', value));
  const exposed = valuesOf(filters, 'expose').map((value) => parsePortFilter('expose', value));
  if (published.length + exposed.length === 0) return undefined;
  const isIn = (wanted: readonly WantedPort[], port: number | undefined, type: string): boolean =>
    port !== undefined &&
    wanted.some((one) => one.first <= port && port <= one.last && one.protocol === type);
  return (container) =>
    summarizePorts(container).some(
      (port) => isIn(published, port.PublicPort, port.Type) || isIn(exposed, port.PrivatePort, port.Type),
    );
}

function nameCondition(filters: Filters): Condition {
  return ({ record }) =>
    matchesPattern(filters, 'name', `/${record.name}`) || matchesPattern(filters, 'name', record.name);
}

function volumeCondition(filters: Filters): Condition | undefined {
  const wanted = valuesOf(filters, 'volume');
  if (wanted.length === 0) return undefined;
  return ({ record }) =>
    record.mounts.some(
      (mount) => wanted.includes(mount.destination) || wanted.includes(mount.name || mount.shownSource),
    );
}

function networkCondition(job: Job, filters: Filters): Condition | undefined {
  const wanted = valuesOf(filters, 'network');
  if (wanted.length === 0) return undefined;
  return (container) =>
    Object.entries(describeNetworks(job, container)).some(([name, settings]) =>
      wanted.some((value) => value === name || settings.NetworkID.startsWith(value)),
    );
}
