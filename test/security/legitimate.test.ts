import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCreate } from '../../src/api/containers/decode-create.ts';
import type { GateContext } from '../../src/policy/gate-context.ts';
import type { ImageFacts } from '../../src/policy/image-pattern.ts';
import { readPrivilegeRules } from '../../src/config/privilege-rules.ts';
import { admitCreate } from '../../src/policy/privileged-gate.ts';
import {
  BUILDX,
  COMPOSE,
  GITHUB,
  GITHUB_SERVICE,
  GITLAB_HELPER,
  KIND,
  RYUK,
} from '../support/client-bodies.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { gateWith, outcomeOf } from '../support/gate-fixtures.ts';

// What well-known clients ask for, in the members that they send. The gate that stops attacks has to let these pass.

const outcome = (body: object, gate: GateContext): string => {
  const { request } = decodeCreate(Buffer.from(JSON.stringify(body)), '1.51');
  const { kind, text } = outcomeOf(() => admitCreate(request, gate));
  return kind === 'admitted' ? kind : `${kind}: ${text}`;
};

/** The gate of a job that has pulled the image, with these rules in the operator's file. */
function gateOf(
  image: string,
  settings: { readonly rules?: readonly unknown[]; readonly neutralise?: string[] },
): GateContext {
  const [, repository = '', tag = ''] = /^(.*):([^:/]+)$/.exec(image) ?? [];
  const name = `docker.io/${repository}:${tag}`;
  const facts: ImageFacts = { askedName: name, isPresent: true, pulledNames: [name], digests: [] };
  const closed = gateWith(false);
  return {
    ...closed,
    describeImage: () => facts,
    allowPrivileged: {
      ...closed.allowPrivileged,
      rules: settings.rules === undefined ? [] : readPrivilegeRules('dind.allow_privileged', settings.rules),
      neutralised: settings.neutralise ?? [],
    },
  };
}

describe('passes a closed gate', () => {
  it.each<[string, object]>([
    ["GitHub's container with its eight binds", GITHUB],
    ["a service of GitHub's", GITHUB_SERVICE],
    ["GitLab's helper", GITLAB_HELPER],
    ['a service of compose', COMPOSE],
    ['Ryuk', RYUK],
  ])('%s', (_name, body) => {
    expect(outcome(body, gateWith(false))).toBe('admitted');
  });
});

describe('passes with what the operator has set for it, and not without', () => {
  it('buildx with a rule for its image', () => {
    const rules = [{ image: 'moby/buildkit', privileged: true }];
    expect(outcome(BUILDX, gateOf(BUILDX.Image, { rules }))).toBe('admitted');
    expect(outcome(BUILDX, gateOf(BUILDX.Image, {}))).toContain('HostConfig.Privileged');
    expect(outcome({ ...BUILDX, Image: 'evil/buildkit:1' }, gateOf('evil/buildkit:1', { rules }))).toContain(
      'HostConfig.Privileged',
    );
  });

  it('KIND with a rule for its image, or with the gate open', () => {
    const rules = [{ image: 'kindest/node', privileged: true }];
    expect(outcome(KIND, gateOf(KIND.Image, { rules }))).toBe('admitted');
    expect(outcome(KIND, gateWith(true))).toBe('admitted');
    expect(outcome(KIND, gateWith(false))).toMatch(/^PermissionDenied: HostConfig\.Privileged/);
  });

  it("Ryuk of testcontainers' Java library, without the privileges that it asks for", () => {
    const asked = { ...RYUK, HostConfig: { ...RYUK.HostConfig, Privileged: true } };
    expect(outcome(asked, gateWith(false))).toMatch(/TESTCONTAINERS_RYUK_CONTAINER_PRIVILEGED=false/);
    expect(outcome(asked, gateOf(RYUK.Image, { neutralise: ['testcontainers/ryuk'] }))).toBe('admitted');
  });
});

describe('is made by the whole daemon', () => {
  let fake: FakeJob;

  beforeAll(async () => {
    fake = await startFakeJob();
  });
  afterAll(async () => {
    await fake.close();
    expect(fake.failures).toEqual([]);
  });

  it.each<
    [
      string,
      string,
      { readonly HostConfig: { readonly NetworkMode: string; readonly Binds?: readonly string[] } },
    ]
  >([
    ["GitHub's container", 'v1.41', GITHUB],
    ["a service of GitHub's", 'v1.41', GITHUB_SERVICE],
    ["GitLab's helper", 'v1.44', GITLAB_HELPER],
    ['a service of compose', 'v1.51', COMPOSE],
    ['Ryuk', 'v1.32', RYUK],
  ])('%s', async (_name, version, body) => {
    const {
      status,
      message,
      body: answer,
    } = await fake.api.post(`/${version}/containers/create`, {
      ...body,
      Image: 'app',
      // Directories of the runner's are not here; the job's socket is.
      HostConfig: {
        ...body.HostConfig,
        NetworkMode: 'bridge',
        Binds: (body.HostConfig.Binds ?? []).filter((bind) => !/^\/(?:home|src)\//.test(bind)),
      },
      NetworkingConfig: { EndpointsConfig: {} },
    });
    expect({ status, message }).toEqual({ status: 201, message: '' });
    expect((answer as { readonly Warnings: readonly string[] }).Warnings).toEqual([]);
  });

  it.each([
    ['its networks are named without a mode', {}, { net: {} }],
    ['they are others than that of its mode', { NetworkMode: 'net' }, { bridge: {} }],
    ['there are several', { NetworkMode: 'net' }, { net: {}, bridge: {} }],
  ])('a container is made where %s', async (_name, HostConfig, EndpointsConfig) => {
    const { status, message, body } = await fake.api.post('/v1.44/containers/create', {
      Image: 'app',
      HostConfig,
      NetworkingConfig: { EndpointsConfig },
    });
    expect({ status, message }).toEqual({ status: 201, message: '' });
    const { record } = fake.job.containers.resolve((body as { readonly Id: string }).Id);
    expect(Object.keys(record.networks)).toEqual(Object.keys(EndpointsConfig));
  });
});
