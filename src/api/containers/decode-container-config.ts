import type { ContainerConfig, EmptyObject, HealthConfig } from '../../wire/container-config.ts';
import {
  bool,
  int64,
  list,
  map,
  object,
  omitEmpty,
  optional,
  string,
  stringOrList,
  type Decoder,
  type Fields,
} from '../http/decode.ts';
import { soundsElevating } from './elevating-names.ts';

const emptyObject: Decoder<EmptyObject> = object<EmptyObject>({});

const healthFields: Fields<HealthConfig> = {
  Test: omitEmpty(list(string)),
  Interval: omitEmpty(int64),
  Timeout: omitEmpty(int64),
  StartPeriod: omitEmpty(int64),
  StartInterval: omitEmpty(int64),
  Retries: omitEmpty(int64),
};

const configFields: Fields<ContainerConfig> = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: omitEmpty(map(emptyObject)),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: list(string),
  Cmd: stringOrList,
  Healthcheck: optional(object(healthFields)),
  ArgsEscaped: omitEmpty(bool),
  Image: string,
  Volumes: map(emptyObject),
  WorkingDir: string,
  Entrypoint: stringOrList,
  NetworkDisabled: omitEmpty(bool),
  MacAddress: omitEmpty(string),
  OnBuild: list(string),
  Labels: map(string),
  StopSignal: omitEmpty(string),
  StopTimeout: optional(int64),
  Shell: omitEmpty(stringOrList),
};

/** Names of the members of a create request that belong to the container's configuration. */
export const CONTAINER_CONFIG_MEMBERS: readonly string[] = Object.keys(configFields);

/** The members of a create request's root that make up the container's configuration. */
export const containerConfig: Decoder<ContainerConfig> = object(configFields, {
  knownElsewhere: ['HostConfig', 'NetworkingConfig'],
  isRefused: soundsElevating,
});
