const ITEM = /^([0-9]{1,6})(?:-([0-9]{1,6}))?$/;
const MAX_NUMBER = 8191;

/** The highest number of a kernel list (`0-2,4`), -1 for an empty one, undefined for what is none. */
export function highestOfList(text: string): number | undefined {
  let highest = -1;
  for (const item of text === '' ? [] : text.split(',')) {
    const [, first, last] = ITEM.exec(item) ?? [];
    if (first === undefined) {
      return undefined;
    }
    const end = Number(last ?? first);
    if (Number(first) > end || end > MAX_NUMBER) {
      return undefined;
    }
    highest = Math.max(highest, end);
  }
  return highest;
}
