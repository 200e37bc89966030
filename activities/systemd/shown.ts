/** What `systemctl show` says of a unit. Pure. */
import type { ApplicationState } from '../contract.ts';

/** Asked for by name: an older systemd that lacks one leaves it out. */
export const properties = [
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'NRestarts',
  'InvocationID',
  'NeedDaemonReload',
  'FragmentPath',
  'Job',
  'ExecMainCode',
  'ExecMainStatus',
  'StateChangeTimestamp',
  'ControlGroup',
] as const;

export type Property = (typeof properties)[number];

export type Shown = Partial<Record<Property, string>>;

export function readShown(text: string): Shown {
  const lines = text.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** A job that is pending counts, whatever the unit is just now: a restart that was only told shows the old run for a moment. */
export function runsOf({ ActiveState: active, Job: job, Result: result }: Shown): ApplicationState['runs'] {
  if (job !== undefined && job !== '' && job !== '0') return 'changing';
  if (active === 'active' || active === 'reloading') return 'up';
  if (active === 'failed') return 'failed';
  if (active === 'inactive')
    return result === 'success' || result === '' || result === undefined ? 'stopped' : 'failed';
  return 'changing';
}

/** `failed (exit-code, status 3), started again 5 times by systemd` */
export function inWords(shown: Shown): string {
  const {
    ActiveState: active = 'unknown',
    SubState: sub = 'unknown',
    Result: result = '',
    NRestarts: restarts,
  } = shown;
  const how = [...(sub === active ? [] : [sub]), ...(active === 'failed' || result !== 'success' ? endOf(shown) : [])];
  const inBrackets = how.length === 0 ? '' : ` (${how.join(', ')})`;
  const since = shown.StateChangeTimestamp ? ` since ${shown.StateChangeTimestamp}` : '';
  const again = Number(restarts ?? 0) > 0 ? `, started again ${restarts} times by systemd` : '';
  const stale = shown.NeedDaemonReload === 'yes' ? ', by a unit file that has changed since' : '';
  return `${active}${inBrackets}${since}${again}${stale}`;
}

function endOf({ Result: result = '', ExecMainCode: code, ExecMainStatus: status = '' }: Shown): string[] {
  const words: Record<string, string> = {
    timeout: 'did not do it in its time and was killed (timeout)',
    'start-limit-hit': 'started too often, systemd refuses to start it again (start-limit-hit)',
    'oom-kill': 'killed for want of memory (oom-kill)',
  };
  const ended = result === '' || result === 'success' ? [] : [words[result] ?? result];
  // 1 is an exit, 2 and 3 a signal.
  if (code === '1' && status !== '0') return [...ended, `status ${status}`];
  return code === '2' || code === '3' ? [...ended, `signal ${status}`] : ended;
}

/** A condition of a unit as systemd has read it: what it asks, whether it is one of several that will do, whether it is turned round, about what. */
type Condition = [kind: string, trigger: boolean, negated: boolean, about: string, ...rest: unknown[]];

/** Whether the unit is started only while this file is not there. @param json as `busctl --json=short` tells its conditions */
export function heeds(json: string, file: string): boolean {
  const { data } = JSON.parse(json) as { data: Condition[] };
  return data.some(
    ([kind, trigger, negated, about]) => kind === 'ConditionPathExists' && !trigger && negated && about === file,
  );
}

/** Where the bus knows a unit: what is no letter and no digit is written as `_2e`, and so is a digit at the beginning. */
export function busPathOf(unit: string): string {
  const escaped = unit.replace(/^[0-9]|[^A-Za-z0-9]/g, (one) => `_${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `/org/freedesktop/systemd1/unit/${escaped}`;
}
