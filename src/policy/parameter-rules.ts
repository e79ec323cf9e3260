import type { EndpointName } from '../wire/endpoint-parameters.ts';
import type { ParameterTables } from './parameter-rule.ts';
import { buildParameters } from './parameters/build-parameters.ts';
import { containerParameters } from './parameters/container-parameters.ts';
import { imageParameters } from './parameters/image-parameters.ts';
import { systemParameters } from './parameters/system-parameters.ts';

/** The gate's tables for queries: an endpoint without a table, or a parameter without a row, does not compile. */
export const PARAMETER_RULES: ParameterTables<EndpointName> = {
  ...containerParameters,
  ...imageParameters,
  ...buildParameters,
  ...systemParameters,
};
