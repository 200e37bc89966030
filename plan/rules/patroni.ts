/** What Patroni keeps is left to Patroni, and it can be told what is wanted. */
import { nearestKey } from '../issues.ts';
import type { PatroniDatabase } from '../schema.ts';
import { rule } from './rule.ts';

const ofPatroni = (database: { kind: string }): database is PatroniDatabase => database.kind === 'patroni';

/** Patroni starts again what others stop, and takes its place from it. */
export const patroniStartsItsOwnServers = rule(['database'], ({ database }, say) => {
  if (!ofPatroni(database)) return;
  for (const [index, { host, control }] of database.members.entries())
    if (control !== undefined)
      say(
        ['database', 'members', index, 'control'],
        `Patroni alone stops and starts the server on ${host}: nobody else may`,
        { at: 'key', instead: 'leave control out' },
      );
});

export const patroniIsToldWithBothUserAndPassword = rule(['database'], ({ database }, say) => {
  if (!ofPatroni(database)) return;
  const { user, password } = database.rest;
  if ((user === undefined) !== (password === undefined))
    say(['database', 'rest'], `${user === undefined ? 'a password without a user' : 'a user without a password'}`, {
      at: 'key',
      instead: 'write both, as restapi.authentication of Patroni has them, or neither',
    });
});

export const patroniAnswersForMembers = rule(['database'], ({ database }, say) => {
  if (!ofPatroni(database)) return;
  const known = database.members.map(({ host }) => host);
  for (const host of Object.keys(database.rest.urls ?? {})) {
    if (known.includes(host)) continue;
    const near = nearestKey(host, known);
    say(['database', 'rest', 'urls', host], `host "${host}" has no member`, {
      at: 'key',
      instead: near === undefined ? `the members are on ${known.join(', ')}` : `did you mean "${near}"?`,
    });
  }
});

/** A fence of ours would be a second opinion beside its lock. */
export const patroniFencesByItsLock = rule(['database', 'failover'], ({ database, failover }, say) => {
  if (ofPatroni(database) && failover !== undefined)
    say(['failover'], 'with Patroni nothing is fenced by Lifeboat: who holds the lock in its store is the primary', {
      at: 'key',
      instead: 'leave failover out, and give Patroni a watchdog',
    });
});
