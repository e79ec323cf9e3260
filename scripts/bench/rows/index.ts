import type { Row } from '../row.ts';
import { ARCHIVE_ROWS } from './archive.ts';
import { BUILD_ROWS } from './builds.ts';
import { EXEC_ROWS } from './exec.ts';
import { LIFE_ROWS } from './lives.ts';
import { LOG_ROWS } from './logs.ts';
import { NETWORK_ROWS } from './networks.ts';
import { REQUEST_ROWS } from './requests.ts';
import { RUN_ROWS } from './runs.ts';
import { STREAM_ROWS } from './streams.ts';
import { TRANSFER_ROWS } from './transfers.ts';

/** All rows, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...LIFE_ROWS,
  ...RUN_ROWS,
  ...EXEC_ROWS,
  ...REQUEST_ROWS,
  ...NETWORK_ROWS,
  ...STREAM_ROWS,
  ...LOG_ROWS,
  ...ARCHIVE_ROWS,
  ...TRANSFER_ROWS,
  ...BUILD_ROWS,
];
