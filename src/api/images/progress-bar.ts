import type { ImageProgress } from '../../wire/image-progress.ts';

const BAR_WIDTH = 50;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** The same line with the bar that older clients print as it is. */
export function withBar(progress: ImageProgress): ImageProgress {
  const { current, total } = progress.progressDetail ?? {};
  if (current === undefined || total === undefined || total <= 0) return progress;
  const done = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = `${'='.repeat(done)}${done < BAR_WIDTH ? '>' : ''}`.padEnd(BAR_WIDTH, ' ');
  return { ...progress, progress: `[${bar}]  ${humanSize(current)}/${humanSize(total)}` };
}

function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${Number(size.toPrecision(4))}${UNITS[unit] ?? ''}`;
}
