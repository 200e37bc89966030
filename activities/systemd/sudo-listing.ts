/**
 * What `sudo -l` tells of all that a user may run. Asked about one command, sudo says yes also where it would want a password, which nobody
 * can give to a worker.
 */

/** Whether the rule that decides about a command wants a password. A rule with a pattern is not judged: it is taken at sudo's word. */
export function wantsPassword(listing: string, command: string): boolean {
  const [defaults = '', rules = ''] = listing.split(/^User .* may run the following commands.*$/m);
  if (/(^|[\s,])!authenticate\b/.test(defaults)) return false;
  const [program] = command.split(' ');
  // The last one that matches decides.
  const deciding = rulesOf(rules).findLast((rule) => [command, program, 'ALL'].includes(rule.command));
  return deciding?.password === true;
}

interface Rule {
  command: string;
  password: boolean;
}

function rulesOf(text: string): Rule[] {
  const entries = text.replace(/\n {5,}/g, ' ').split('\n');
  return entries.flatMap((entry) => {
    const found = /^ {4}\([^)]*\) (.*)$/.exec(entry);
    return found === null ? [] : rulesIn(found[1] ?? '');
  });
}

/** A tag holds for what comes after it, until another one. */
function rulesIn(entry: string): Rule[] {
  let password = true;
  return entry.split(/(?<!\\), +/).map((part) => {
    const [, tags = '', command = ''] = /^((?:[A-Z_]+: )*)(.*)$/.exec(part) ?? [];
    if (tags.includes('NOPASSWD: ')) password = false;
    else if (tags.includes('PASSWD: ')) password = true;
    return { command: command.trim().replace(/\\([,:=\\])/g, '$1'), password };
  });
}
