const ITEM = /^([0-9]{1,6})(?:-([0-9]{1,6}))?$/;
const MAX_NUMBER = 8191;

/** What a kernel list (`0-2,4`) names, nothing for an empty one; undefined for what is none, and above 8191. */
export function numbersOfList(text: string): ReadonlySet<number> | undefined {
  const numbers = new Set<number>();
  for (const item of text === '' ? [] : text.split(',')) {
    const [, first, last] = ITEM.exec(item) ?? [];
    const end = Number(last ?? first);
    if (first === undefined || Number(first) > end || end > MAX_NUMBER) {
      return undefined;
    }
    for (let number = Number(first); number <= end; number += 1) {
      numbers.add(number);
    }
  }
  return numbers;
}
