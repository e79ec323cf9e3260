import { ShapeError } from '../errors.ts';
import type { BuildRequest } from '../wire/build-request.ts';
import type { ContainerConfig } from '../wire/container-config.ts';
import type { CreateRequest } from '../wire/create-request.ts';
import type { ExecRequest } from '../wire/exec-request.ts';
import type { UpdateRequest } from '../wire/update-request.ts';
import type { Admitted } from './admitted.ts';
import { BUILD_RULES } from './build-rules.ts';
import { grantableCapabilities, settleCapabilities } from './capabilities.ts';
import { CONTAINER_CONFIG_RULES } from './container-config-rules.ts';
import { checkEndpointNames, ENDPOINT_RULES } from './endpoint-rules.ts';
import { EXEC_RULES } from './exec-rules.ts';
import type { GateContext } from './gate-context.ts';
import { NO_IMAGE, type ImageFacts } from './image-pattern.ts';
import { HOST_CONFIG_RULES } from './host-config-rules.ts';
import { constrain, judge, settle, type Judgement } from './judge.ts';
import { checkMountPoints } from './mount-points.ts';
import type { Finding, RuleContext } from './rule.ts';
import type { SecurityDecisions } from './security-decisions.ts';
import { parseSecurityOptions } from './security-options.ts';
import { changesOf, unchangeable, withChanges } from './update-fields.ts';
import { isLocalDriver } from './volume-driver.ts';

/** A create request together with what the gate decided about it. */
export interface CheckedCreate extends CreateRequest {
  readonly security: SecurityDecisions;
}

/** An exec request together with the capabilities of its process; undefined means those of its container. */
export interface CheckedExec extends ExecRequest {
  readonly capabilities: readonly string[] | undefined;
}

/** What the gate let through, as it takes effect, and what the client must be told about it. */
export interface Admission<T> {
  readonly admitted: Admitted<T>;
  readonly warnings: readonly string[];
}

/**
 * Lets a create request through, constrained, or throws PermissionDenied, InvalidArgument, NotFound (a container
 * it refers to) or NotImplemented. An admitted request can be admitted again, with the same result.
 */
export function admitCreate(request: CreateRequest, gate: GateContext): Admission<CheckedCreate> {
  requireImage(request.config);
  const context: RuleContext = { gate, request };
  const warnings = settle(judgeCreate(context), gate, gate.describeImage(request.config.Image));
  const hostConfig = constrain(request.hostConfig, HOST_TABLE, context);
  const checked: CheckedCreate = { ...request, hostConfig, security: decide(hostConfig, gate) };
  return { admitted: seal(checked), warnings };
}

/**
 * Takes the configuration that was merged with the image's into an admitted request; InvalidArgument where the
 * image asks for what no request may ask for.
 */
export function admitMergedConfig(
  admitted: Admitted<CheckedCreate>,
  merged: ContainerConfig,
): Admitted<CheckedCreate> {
  const { hostConfig, networkingConfig, security } = admitted;
  const request = { config: merged, hostConfig, networkingConfig, security };
  for (const { field, finding, rule } of judge(merged, CONFIG_TABLE, { request })) {
    if (finding.kind !== 'bad') continue;
    throw new ShapeError(finding.message, {
      field,
      ...(rule.isSecret === true ? { reason: rule.reason } : {}),
    });
  }
  refuseImageVolumes(request);
  return seal(request);
}

// The rule of the field has not seen the image's volumes.
function refuseImageVolumes({ config, hostConfig: { VolumeDriver: driver } }: CreateRequest): void {
  if (isLocalDriver(driver) || Object.keys(config.Volumes ?? {}).length === 0) return;
  const plugin = driver.slice(0, 64);
  throw new ShapeError(
    `error looking up volume plugin ${plugin}: plugin ${JSON.stringify(plugin)} not found`,
    { field: 'HostConfig.VolumeDriver' },
  );
}

/**
 * Lets a change of a container's limits and restart policy through, constrained, by the rules that its creation went
 * through; answers the container's whole request as it is from then on.
 */
export function admitUpdate(
  present: CreateRequest,
  update: UpdateRequest,
  gate: GateContext,
): Admission<CheckedCreate> {
  const { config, networkingConfig } = present;
  const changes = changesOf(update);
  const asked = { config, networkingConfig, hostConfig: { ...present.hostConfig, ...changes } };
  const judgements = judge(asked.hostConfig, HOST_TABLE, { gate, request: asked }).filter(({ field }) =>
    Object.hasOwn(changes, field.slice(HOST_TABLE.prefix.length)),
  );
  const warnings = [
    ...settle(judgements, gate, gate.describeImage(config.Image)),
    ...unchangeable(changes).map((name) => `${name} cannot be changed by an update. Discarded.`),
  ];
  const request = { ...asked, hostConfig: withChanges(present.hostConfig, changes) };
  const hostConfig = constrain(request.hostConfig, HOST_TABLE, { gate, request });
  return { admitted: seal({ ...request, hostConfig, security: decide(hostConfig, gate) }), warnings };
}

/**
 * Lets an exec request through, or throws PermissionDenied or InvalidArgument. `image` is that of a privileged
 * container: what a rule of the operator gave to the container, its processes may have too.
 */
export function admitExec(
  request: ExecRequest,
  gate: GateContext,
  image: ImageFacts = NO_IMAGE,
): Admission<CheckedExec> {
  const warnings = settle(judge(request, { rules: EXEC_RULES, prefix: 'exec ' }, {}), gate, image);
  const capabilities = request.privileged ? grantableCapabilities(gate.host) : undefined;
  return { admitted: seal({ ...request, capabilities }), warnings };
}

/**
 * Lets a build through, or throws PermissionDenied, InvalidArgument or NotImplemented; its steps' containers are judged
 * now, and again when each is made.
 */
export function admitBuild(request: BuildRequest, gate: GateContext): Admission<BuildRequest> {
  const own = settle(judge(request, { rules: BUILD_RULES, prefix: 'build ' }, {}), gate);
  const { warnings } = admitCreate(request.container, gate);
  return { admitted: seal(request), warnings: [...own, ...warnings] };
}

const CONFIG_TABLE = { rules: CONTAINER_CONFIG_RULES, prefix: 'Config.' };
const HOST_TABLE = { rules: HOST_CONFIG_RULES, prefix: 'HostConfig.' };

function requireImage({ Image: image, Cmd: cmd, Entrypoint: entrypoint }: ContainerConfig): void {
  if (image !== '') {
    return;
  }
  const hasCommand = (cmd ?? []).length > 0 || (entrypoint ?? []).length > 0;
  throw new ShapeError(hasCommand ? 'Image is required' : 'no command specified', { field: 'Config.Image' });
}

function judgeCreate(context: RuleContext): readonly Judgement[] {
  const { config, hostConfig, networkingConfig } = context.request;
  return [
    ...judge(hostConfig, HOST_TABLE, context),
    ...judge(config, CONFIG_TABLE, context),
    ...Object.values(networkingConfig.EndpointsConfig).flatMap((endpoint) =>
      judge(endpoint, { rules: ENDPOINT_RULES, prefix: 'NetworkingConfig.EndpointsConfig.' }, context),
    ),
    ...acrossFields('NetworkingConfig.EndpointsConfig', checkEndpointNames(context)),
    ...acrossFields('HostConfig.Mounts', checkMountPoints(hostConfig)),
  ];
}

function acrossFields(field: string, findings: readonly Finding[]): readonly Judgement[] {
  return findings.map((finding) => ({
    field,
    finding,
    rule: { reason: 'the fields contradict each other' },
  }));
}

function decide(host: CreateRequest['hostConfig'], gate: GateContext): SecurityDecisions {
  const options = parseSecurityOptions(host.SecurityOpt ?? []);
  const { Privileged: privileged } = host;
  const { granted } = settleCapabilities(
    { privileged, add: host.CapAdd ?? [], drop: host.CapDrop ?? [] },
    gate.host,
  );
  return {
    privileged,
    capabilities: granted,
    seccomp: privileged ? 'unconfined' : options.seccomp,
    appArmor: options.appArmor || (privileged ? 'unconfined' : 'docker-default'),
    noNewPrivileges: options.noNewPrivileges,
    writableCgroups: privileged || options.writableCgroups,
  };
}

/** The one place where the mark is given. */
function seal<T>(request: T): Admitted<T> {
  return request as Admitted<T>;
}
