/** An application that is a unit of systemd. */

import { formatNumberOf } from '../../evidence/format.ts';
import type { SystemdUnit } from '../../plan/components/systemd.ts';
import { askHealth } from '../application/health.ts';
import type { ApplicationKind } from '../application/kind.ts';
import type { ApplicationState } from '../contract.ts';
import { failure } from '../failure.ts';
import { type PermittedUnit, permitUnit } from '../permit-unit.ts';
import type { Found } from '../shapes.ts';
import { flagCanBeLaid, howToHeed, laidBy, layFlag, readFlag, removeFlag } from './flag.ts';
import { processesLeft } from './left.ts';
import { heeds, inWords, runsOf, type Shown } from './shown.ts';
import { conditionsOf, journalOf, refusedBySudo, showUnit, tellSystemd } from './systemctl.ts';

export function systemdApplication(component: SystemdUnit): ApplicationKind {
  const { unit, host, healthy, staysUp, startsWithin, stopsWithin } = component;
  const name = `${unit} on ${host}`;
  const shown = ({ systemctl }: PermittedUnit) => showUnit(systemctl, unit);
  return {
    name,
    times: {
      startsWithinMs: startsWithin,
      stopsWithinMs: stopsWithin,
      staysUpMs: staysUp,
      healthyWithinMs: healthy?.within ?? startsWithin,
    },
    look: async (health) => {
      const permitted = await permitUnit(component);
      const facts = await shown(permitted);
      const state = withLeft(
        stateOf(name, facts, await quiescedBy(permitted)),
        await processesLeft(facts.ControlGroup),
      );
      if (!health || healthy === undefined || state.runs !== 'up') return state;
      const answer = await askHealth(healthy);
      return { ...state, health: answer, found: `${state.found}; ${answer.words}` };
    },
    lastWords: async () => journalOf((await permitUnit(component)).systemctl, unit),
    mayBeChanged: (quiesce) => mayBeChanged(component, quiesce),
    tell: async (what) => {
      const { systemctl } = await permitUnit(component);
      if (what !== 'stop') await makeReady(systemctl, unit);
      await tellSystemd(systemctl, what, unit);
    },
    keepDown: async (by) => {
      const permitted = await permitUnit(component);
      const file = flagOf(component, permitted);
      await makeCurrent(permitted.systemctl, unit);
      await refuseDeaf(component, permitted, file);
      await layFlag(file, by);
    },
    letStart: async () => removeFlag(flagOf(component, await permitUnit(component))),
    keptDownBy: (by, { quiesced }) => laidBy(by, quiesced),
  };
}

function stateOf(name: string, shown: Shown, quiesced: string | undefined): ApplicationState {
  const runs = runsOf(shown);
  const { InvocationID: start = '', NRestarts: restarts = '0', FragmentPath: file = '' } = shown;
  const unfit = whyUnfit(name, shown);
  return {
    runs,
    restarts: Number(restarts) || 0,
    ...(start === '' || runs === 'failed' || runs === 'stopped' ? {} : { start }),
    ...(quiesced === undefined ? {} : { quiesced }),
    ...(unfit === undefined ? {} : { unfit }),
    unit: {
      activeState: shown.ActiveState ?? 'unknown',
      subState: shown.SubState ?? 'unknown',
      result: shown.Result ?? '',
      needsReload: shown.NeedDaemonReload === 'yes',
      ...(file === '' ? {} : { file }),
    },
    found: unfit ?? `${name}: ${inWords(shown)}${quiesced === undefined ? '' : `, ${quiesced}`}`,
    expected: 'active (running)',
  };
}

/** What is stopped, and of which something still runs, is not stopped. */
function withLeft(state: ApplicationState, left: number): ApplicationState {
  if (left === 0 || (state.runs !== 'stopped' && state.runs !== 'failed')) return state;
  return {
    ...state,
    runs: 'changing',
    found: `${state.found}, with ${formatNumberOf(left, 'process', 'processes')} of it left running`,
  };
}

function whyUnfit(name: string, { LoadState: load = '' }: Shown): string | undefined {
  switch (load) {
    case 'loaded':
      return undefined;
    case 'not-found':
      return `${name} is not there: systemd knows no such unit. Bring its file back (and what it starts), or correct the plan.`;
    case 'masked':
      return `${name} is masked: somebody has forbidden to start it. Find out who, then unmask it (systemctl unmask).`;
    default:
      return `${name} cannot be loaded (${load}): its file is wrong. See systemctl status and systemd-analyze verify.`;
  }
}

/** What systemd would stumble over: an old unit file would be started without a word, and a unit that failed too often not at all. */
async function makeReady(systemctl: string[], unit: string): Promise<void> {
  const { ActiveState: active } = await makeCurrent(systemctl, unit);
  // Of one that is inactive systemd may have forgotten all, and there is nothing to be reset.
  if (active !== 'inactive') await tellSystemd(systemctl, 'reset-failed', unit);
}

async function makeCurrent(systemctl: string[], unit: string): Promise<Shown> {
  const shown = await showUnit(systemctl, unit);
  if (shown.NeedDaemonReload === 'yes') await tellSystemd(systemctl, 'daemon-reload', unit);
  return shown;
}

async function quiescedBy({ quiesced }: PermittedUnit): Promise<string | undefined> {
  return quiesced === undefined ? undefined : readFlag(quiesced);
}

async function mayBeChanged(component: SystemdUnit, quiesce: boolean): Promise<Found> {
  const { unit, host } = component;
  const permitted = await permitUnit(component);
  const { systemctl, permit } = permitted;
  const shown = await showUnit(systemctl, unit);
  const unfit = whyUnfit(`${unit} on ${host}`, shown);
  if (unfit !== undefined) throw failure('ApplicationUnfit', unfit);
  const refused = await refusedBySudo(systemctl, unit);
  if (refused !== undefined && refused.length > 0)
    throw failure(
      'NotPermitted',
      `sudo on ${host} does not let this user change ${unit} without a password. An administrator adds to sudoers (visudo -f /etc/sudoers.d/lifeboat): ${refused.join('; ')}`,
    );
  if (quiesce) {
    const file = flagOf(component, permitted);
    await refuseDeaf(component, permitted, file);
    await flagCanBeLaid(file);
  }
  return {
    found: `${unit} is permitted by ${permit.file}${refused === undefined ? '; whether systemctl is obeyed was not asked, for it is not run by sudo' : ', and sudo lets this user change it'}`,
    expected: `start, restart, stop${quiesce ? ' and quiesce' : ''} ${unit}`,
  };
}

/** @throws NotPermitted */
function flagOf({ unit, host }: SystemdUnit, { quiesced, permit }: PermittedUnit): string {
  if (quiesced !== undefined) return quiesced;
  throw failure(
    'NotPermitted',
    `${unit} cannot be kept from being started: ${permit.file} names no file for it. An administrator of ${host} adds to its line there "quiesced: /var/lib/lifeboat/quiesced.${unit}", and has the unit heed it: ${howToHeed(unit, `/var/lib/lifeboat/quiesced.${unit}`)}.`,
  );
}

/** @throws ApplicationUnfit the file would keep nobody from starting it */
async function refuseDeaf({ unit, host }: SystemdUnit, { systemctl }: PermittedUnit, file: string): Promise<void> {
  if (heeds(await conditionsOf(systemctl, unit), file)) return;
  throw failure(
    'ApplicationUnfit',
    `${unit} on ${host} does not heed ${file}: it would be started all the same. An administrator has to ${howToHeed(unit, file)}.`,
  );
}
