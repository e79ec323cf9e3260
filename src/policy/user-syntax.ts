const MAX_ID = 2 ** 31 - 1;
const NAME = /^[^:\s,/\p{Cc}-][^:\s,/\p{Cc}]{0,255}$/u;

function isUserOrGroup(text: string): boolean {
  return /^[+-]?[0-9]+$/.test(text) ? /^[0-9]+$/.test(text) && Number(text) <= MAX_ID : NAME.test(text);
}

/** True for `user[:group]`, each a name or an id from 0 to 2^31-1; empty means root. */
export function isUserSyntax(text: string): boolean {
  const [user = '', group, ...more] = text.split(':');
  if (more.length > 0 || text === ':') {
    return false;
  }
  return (
    (user === '' || isUserOrGroup(user)) && (group === undefined || group === '' || isUserOrGroup(group))
  );
}
