/** A server's own configuration files, read as text: what they set, which other files they name, and what a recovery has left in them. */

export interface Setting {
  name: string;
  value: string;
}

/** @see PostgreSQL documentation, "Parameter Interaction via the Configuration File" */
export function settingsIn(text: string): Setting[] {
  return text.split('\n').flatMap((line) => settingOf(line) ?? []);
}

/** Names mean the same in large and small letters; the "=" may be left out. */
function settingOf(line: string): Setting | undefined {
  const [, name, rest] = /^\s*([A-Za-z_][\w$.]*)(?:\s*=\s*|\s+|(?='))(.*)$/.exec(line) ?? [];
  return name === undefined || rest === undefined ? undefined : { name: name.toLowerCase(), value: textOf(rest) };
}

function textOf(rest: string): string {
  const [, quoted] = /^'((?:[^'\\]|''|\\.)*)'/.exec(rest) ?? [];
  if (quoted !== undefined)
    return quoted.replaceAll(/''|\\(.)/g, (_all, escaped: string | undefined) => escaped ?? "'");
  return /^[^\s#]*/.exec(rest)?.[0] ?? '';
}

/** What a standby keeps of its own, while it follows somebody else from now on. */
const ofAnyStandby = ['archive_cleanup_command', 'recovery_min_apply_delay'];

const ofRecovery = [
  ...['restore_command', 'recovery_end_command', 'primary_conninfo', 'primary_slot_name'],
  // Of servers before version 12 and 16.
  ...['standby_mode', 'trigger_file', 'promote_trigger_file'],
];

/**
 * The text without what a recovery has set: a restored server that kept its target would stop there again as soon as it becomes a standby,
 * and a standby that is copied from it would, too.
 *
 * @param staysStandby keeps what concerns any standby, whomever it follows
 */
export function withoutRecovery(text: string, { staysStandby }: { staysStandby: boolean }): string {
  return text
    .split('\n')
    .filter((line) => {
      const name = settingOf(line)?.name ?? '';
      const gone = name.startsWith('recovery_target') || ofRecovery.includes(name);
      return !gone && (staysStandby || !ofAnyStandby.includes(name));
    })
    .join('\n');
}

/** A file or directory that a configuration names. */
export interface Named {
  path: string;
  /** A relative path begins there: at the file that names it, or at the data directory. */
  from: 'file' | 'data';
  /** It is read as the configuration itself is: a file of settings, a directory of them, or of rules for who is let in. */
  reads?: 'settings' | 'directory' | 'rules';
  /** The server writes into it; what it has written before is not its configuration. */
  log?: true;
}

const inclusions: Record<string, Named['reads']> = {
  include: 'settings',
  include_if_exists: 'settings',
  include_dir: 'directory',
};

const files = [
  ...['ssl_cert_file', 'ssl_key_file', 'ssl_ca_file', 'ssl_crl_file', 'ssl_crl_dir', 'ssl_dh_params_file'],
  'krb_server_keyfile',
];

/** What these settings name; `data` is the data directory, which commands may name in the middle of their words. */
export function namedBySettings(settings: readonly Setting[], data: string): Named[] {
  return settings.flatMap(({ name, value }): Named[] => {
    const reads = inclusions[name];
    if (reads !== undefined) return [{ path: value, from: 'file', reads }];
    if (name === 'hba_file' || name === 'ident_file') return [{ path: value, from: 'data', reads: 'rules' }];
    if (name === 'log_directory') return [{ path: value, from: 'data', log: true }];
    if (files.includes(name) && !value.includes(':')) return [{ path: value, from: 'data' }];
    return namedInWords(value, data);
  });
}

/** Paths below the data directory in the words of a command or a connection. */
export function namedInWords(words: string, data: string): Named[] {
  return words
    .split(`${data}/`)
    .slice(1)
    .map((rest): Named => ({ path: `${data}/${/^[^\s'",;:]*/.exec(rest)?.[0] ?? ''}`, from: 'data' }));
}

/** Of pg_hba.conf and pg_ident.conf. @see PostgreSQL documentation, "The pg_hba.conf File" */
export function namedByRules(text: string): Named[] {
  return text.split('\n').flatMap((line): Named[] => {
    const rule = line.replace(/#.*$/, '');
    const [, word, path] = /^\s*(include(?:_if_exists|_dir)?)\s+"?([^"\s]+)"?\s*$/.exec(rule) ?? [];
    if (path !== undefined) return [{ path, from: 'file', ...(word === 'include_dir' ? {} : { reads: 'rules' }) }];
    return [...rule.matchAll(/@"?([^\s",]+)/g)].map(([, name = '']): Named => ({ path: name, from: 'file' }));
  });
}

/** Below the data directory: written by the server itself, or by who restores it; never configuration. */
export function isServersOwn(name: string): boolean {
  if (name === 'pg_hba.conf' || name === 'pg_ident.conf') return false;
  return /^(base|global|pg_.*|PG_VERSION|postmaster\..*|current_logfiles|backup_.*|tablespace_map.*|.*\.signal|postgresql\.auto\.conf)$/.test(
    name,
  );
}
