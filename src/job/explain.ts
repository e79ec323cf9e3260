import { decodeCreate } from '../api/containers/decode-create.ts';
import { MAX_API_VERSION, resolveApiVersion } from '../api/http/api-version.ts';
import type { Settings } from '../config/schema.ts';
import { explainCreate, type Explanation, type ExplainParts } from '../engine/containers/explain-create.ts';
import { gateContextOf } from '../engine/gate-context.ts';
import { resolveImage } from '../engine/images/resolve-image.ts';
import type { Job } from '../engine/job.ts';
import { EngineError, isErrorKind } from '../errors.ts';
import { readAppArmorProfiles } from '../host/apparmor.ts';
import { createHostCgroups } from '../host/cgroups.ts';
import { explainRequest, type Judges, type PlainRequest } from './explain-request.ts';
import { listHostDevices } from '../host/devices.ts';
import { readHostFacts } from '../host/facts.ts';
import { resolveAllowPrivileged } from '../policy/allow-privileged.ts';
import { NO_IMAGE } from '../policy/image-pattern.ts';

/** A request to be explained, and the version of the API that it is written in. */
export interface AskedRequest {
  /** Method and path, without a version, with the query: `POST /volumes/create`. Undefined for a create. */
  readonly request?: string | undefined;
  readonly body: Uint8Array;
  /** As in the path, without the v; undefined for the newest. */
  readonly apiVersion?: string | undefined;
}

const CREATE = /^POST \/containers\/create(?:\?|$)/;

/** Explains a request to a job that runs: its images and containers are known. */
export function explainInJob(job: Job, asked: AskedRequest): Promise<Explanation> {
  return explain(
    {
      gate: gateContextOf(job),
      permissions: job.settings.api,
      host: job.host,
      appArmorProfiles: job.appArmorProfiles,
      initPath: job.settings.initPath,
      cgroupPath: job.cgroupPath,
      listDevices: job.listDevices,
      findImage: (imageRef) => knownImage(job, imageRef),
    },
    asked,
  );
}

/** Explains a request without any job: no image, no container and no budget but the machine is known. */
export async function explainWithoutJob(settings: Settings, asked: AskedRequest): Promise<Explanation> {
  const host = await readHostFacts(await createHostCgroups());
  return explain(
    {
      gate: {
        allowPrivileged: resolveAllowPrivileged(settings),
        host,
        budget: {
          memoryBytes: settings.memoryBytes ?? host.memoryBytes,
          cpus: settings.cpus ?? host.cpus,
          pids: settings.pids,
          cpuset: { cpus: '', mems: '' },
        },
        findOwnContainer: () => undefined,
        describeImage: () => NO_IMAGE,
      },
      permissions: settings.api,
      host,
      appArmorProfiles: await readAppArmorProfiles(),
      initPath: settings.initPath,
      cgroupPath: `${settings.cgroupParent}/(job)`,
      listDevices: () => listHostDevices(),
      findImage: () => undefined,
    },
    asked,
  );
}

async function explain(
  { permissions, ...parts }: ExplainParts & Pick<Judges, 'permissions'>,
  { request: asked = 'POST /containers/create', body, apiVersion }: AskedRequest,
): Promise<Explanation> {
  try {
    const [method = '', target = ''] = asked.split(' ', 2);
    const request: PlainRequest = { method, target, body, apiVersion: resolveApiVersion(apiVersion) };
    const about = explainRequest(request, { gate: parts.gate, permissions });
    const isCreate = CREATE.test(asked);
    if (!isCreate || isClosed(about)) return about;
    return withRefusals(await explainDecoded(parts, request), about);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const refusal = { kind: error.kind, message: error.message };
    return { admitted: false, refusal, fields: [], warnings: [], notes: [] };
  }
}

/** True where nothing of the request is read: the endpoint is closed. */
function isClosed({ fields }: Explanation): boolean {
  return fields.some(({ field }) => field === 'endpoint');
}

function explainDecoded(parts: ExplainParts, { body, apiVersion }: PlainRequest): Promise<Explanation> {
  const { request, ignored } = decodeCreate(body, apiVersion);
  const plainBody = Buffer.from(JSON.stringify({ Image: request.config.Image }));
  const { request: plain } = decodeCreate(plainBody, MAX_API_VERSION);
  return explainCreate(parts, { request, plain, ignored });
}

/** The gate of the body comes first; what the query and the image's name make of the request follows it. */
function withRefusals(create: Explanation, { refusal, fields }: Explanation): Explanation {
  if (!refusal) return create;
  return {
    admitted: false,
    refusal: create.refusal ?? refusal,
    fields: [...create.fields, ...fields],
    warnings: [],
    notes: create.notes,
  };
}

function knownImage(job: Job, imageRef: string): ReturnType<ExplainParts['findImage']> {
  try {
    const { config, chainId } = resolveImage(job, imageRef);
    return { config, users: job.imageUsers.get(chainId) };
  } catch (error) {
    if (isErrorKind(error, 'NotFound') || isErrorKind(error, 'InvalidArgument')) return undefined;
    throw error;
  }
}
