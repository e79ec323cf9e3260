import { EngineError, isErrorKind } from '../../errors.ts';
import type { ContainerTop } from '../../wire/container-top.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { requireRunning } from './require-running.ts';
import { parseTopOptions, type TopOptions } from './top-options.ts';
import { readProcColumns, titleOfProcColumn } from './top-proc-columns.ts';
import { parseTopTable, type TopTable } from './top-table.ts';

/** `GET /containers/{id}/top`: the host's ps about the container's processes, with the columns asked for. */
export async function topContainer(
  job: Job,
  containerRef: string,
  options: { readonly psArgs: string; readonly signal: AbortSignal },
): Promise<ContainerTop> {
  const topOptions = parseTopOptions(options.psArgs);
  const container = job.containers.resolve(containerRef);
  requireRunning(container);
  const signal = AbortSignal.any([job.signal, options.signal]);
  const table = await job.tops.run(async () =>
    runPs(job, topOptions, { pids: await pidsOf(job, container.id), signal }),
  );
  const procFields = await Promise.all(
    table.rows.map(({ pid }) => readProcColumns(pid, topOptions.procColumns, job.host.lastCap)),
  );
  // A pid that ended meanwhile may have become another process, one of the host's: only what stayed is shown.
  const pidsAfter = await pidsOf(job, container.id);
  const processes = table.rows.flatMap(({ pid, fields }, index) =>
    pidsAfter.has(pid) ? [insertFields(fields, topOptions, procFields[index] ?? [])] : [],
  );
  const procTitles = topOptions.procColumns.map(({ name }) => titleOfProcColumn(name));
  emitContainerEvent(job, container, { action: 'top' });
  return {
    Titles: insertFields(table.titles, topOptions, procTitles),
    Processes: processes.length === 0 ? null : processes,
  };
}

async function pidsOf(job: Job, containerId: string): Promise<ReadonlySet<number>> {
  try {
    return new Set((await job.containerd.tasks.pids(containerId)).map(({ pid }) => pid));
  } catch (error) {
    if (isErrorKind(error, 'NotFound'))
      throw new EngineError('Conflict', `Container ${containerId} is not running`);
    throw error;
  }
}

async function runPs(
  job: Job,
  { psOptions }: TopOptions,
  { pids, signal }: { readonly pids: ReadonlySet<number>; readonly signal: AbortSignal },
): Promise<TopTable> {
  if (pids.size === 0) throw new EngineError('Internal', 'no process found in the container');
  const { code, stdout, stderr } = await job.processes.run(['ps', ...psOptions, '-p', [...pids].join(',')], {
    signal,
  });
  const complaint = stderr.split('\n').find((line) => line.trim() !== '');
  if (code !== 0 && complaint !== undefined)
    throw new EngineError('InvalidArgument', `ps: ${complaint.trim()}`);
  return parseTopTable(stdout, pids);
}

function insertFields(
  fields: readonly string[],
  { procColumns }: TopOptions,
  procFields: readonly string[],
): readonly string[] {
  const all = [...fields];
  for (const [index, column] of procColumns.entries()) all.splice(column.index, 0, procFields[index] ?? '');
  return all;
}
