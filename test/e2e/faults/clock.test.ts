/** Clocks that are an hour off: what is measured stays right, or the drill says which clock is wrong; never a wrong proof. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { readPulseLog } from '../drill/independent.ts';
import { backup, drill, ended, start, useEstate } from '../drill/scenario.ts';
import { ask } from '../observer.ts';
import { withClockAhead } from './wrong-clock.ts';

const scenario = useEstate({ load: { ordersPerSecond: 5 } });
const estate = () => scenario().estate;
const hour = 60;

beforeAll(async () => {
  // The clock of the database alone is to be wrong: what archives its WAL has that of the host.
  const { socket, port } = estate().servers.db1;
  const place = { host: socket, port };
  const [setting] = await ask<{ archive_command: string }>(place, 'show archive_command');
  const honest = `env LD_PRELOAD= ${setting?.archive_command}`.replaceAll("'", "''");
  await ask(place, `alter system set archive_command = '${honest}'`);
  await ask(place, 'select pg_reload_conf()');
  await backup(scenario());
});

/** Of all pulses, by the log beside the database and by positions: what nobody's clock can spoil. */
async function lossByPositions(evidence: Evidence): Promise<{ newest: string; lost: number }> {
  const end = evidence.steps.find(({ id }) => id === 'database/recovery-ended-where-it-should');
  const target = positionOf(/paused at (\S+) on/.exec(end?.found ?? '')?.[1]);
  const moment = Date.parse(evidence.incidentAt ?? '');
  const pulses = (await readPulseLog(estate())).sort((a, b) => a.number - b.number);
  const back = pulses.filter(({ lsn }) => positionOf(lsn) <= target);
  const lost = pulses.filter(({ lsn, at }) => positionOf(lsn) > target && Date.parse(at) <= moment);
  return { newest: back.at(-1)?.at ?? '', lost: lost.length };
}

function positionOf(lsn = '0/0'): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

async function expectRightLoss(evidence: Evidence): Promise<void> {
  const { newest, lost } = await lossByPositions(evidence);
  expect(evidence.rpo.valueMs).toBe(Date.parse(evidence.incidentAt ?? '') - Date.parse(newest));
  // One a second: a clock that is an hour off cannot hide in it.
  expect(Math.abs((evidence.rpo.valueMs ?? 0) / 1000 - lost)).toBeLessThan(60);
}

describe('of the control worker', () => {
  test('an hour ahead: it is named, and loss and proof are right', async () => {
    const evidence = await withClockAhead(estate().process('control'), hour, () => drill(scenario()));
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'proven', flags: ['clocks-differ'] });
    expect(evidence.clocks).toMatchObject([{ clock: 'the control worker', of: 'the database' }]);
    expect(Math.abs((evidence.clocks?.[0]?.aheadMs ?? 0) - hour * 60_000)).toBeLessThan(30_000);
    await expectRightLoss(evidence);
  });

  test('an hour behind, before the certificate of the store was made: it is said at once, not waited for', async () => {
    const evidence = await withClockAhead(estate().process('control'), -hour, () => drill(scenario()));
    expect(evidence).toMatchObject({ outcome: 'not-proven', failure: { type: 'ClockSkewed' } });
    expect(evidence.failure?.message).toContain('not valid yet by the clock of this worker');
  });
});

test('of the drill host: the drill ends not-proven and says that it is the clock, or proves with the right loss', async () => {
  const evidence = await withClockAhead(estate().process('host-db2'), hour, () => drill(scenario()));
  if (evidence.outcome === 'proven') {
    expect(evidence.flags).toContain('clocks-differ');
    expect(evidence.clocks).toMatchObject([{ clock: 'host db2', of: 'the database' }]);
    await expectRightLoss(evidence);
  } else {
    expect(evidence.failure?.type).toBe('ClockSkewed');
    expect(evidence.failure?.message).toMatch(/clock/);
  }
});

describe('of the database', () => {
  test('an hour ahead, a backup and a drill go by it, measure rightly, and name it', async () => {
    await withClockAhead(estate().servers.db1.process, hour, async () => {
      const taken = await backup(scenario());
      const [now] = await ask<{ now: string }>(
        { host: estate().servers.db1.socket, port: estate().servers.db1.port },
        `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as now`,
      );
      // By the database's clock, like all that it will be compared with.
      const age = Date.parse(now?.now ?? '') - Date.parse(taken.backup?.stoppedAt ?? '');
      expect(age).toBeGreaterThan(-2_000);
      expect(age).toBeLessThan(30 * 60_000);
      expect(taken.clocks).toMatchObject([{ clock: 'host db1', of: 'the database' }]);
      const evidence = await drill(scenario());
      expect(evidence.failure).toBeUndefined();
      expect(evidence.outcome).toBe('proven');
      expect(evidence.flags).toContain('clocks-differ');
      expect(evidence.clocks?.map(({ clock }) => clock)).toEqual(['the control worker', 'host db2']);
      expect(evidence.backup?.label).toBe(taken.backup?.label);
      await expectRightLoss(evidence);
    });
  });

  test('an hour ahead, a moment that a person chose is refused, because it would be another one', async () => {
    await withClockAhead(estate().servers.db1.process, hour, async () => {
      const evidence = await ended(await start(scenario(), 'monthlyDrill', { target: new Date().toISOString() }));
      expect(evidence).toMatchObject({ outcome: 'not-proven', failure: { type: 'ClockSkewed' } });
      expect(evidence.steps.some(({ group }) => group === 'database')).toBe(false);
    });
  });

  test('that is set back an hour: no age and no loss is claimed that the times do not tell', async () => {
    // The newest backup is stamped by the clock that was an hour ahead: its age is not known now.
    const unsure = await drill(scenario());
    expect(unsure).toMatchObject({ outcome: 'not-proven', failure: { type: 'ClockSkewed' } });
    expect(unsure.failure?.message).toContain('after this moment on the database');
    const refused = await ended(await start(scenario(), 'backup', { mode: 'live', type: 'full' }));
    expect(refused).toMatchObject({ outcome: 'failed', failure: { type: 'ClockSkewed' } });
    expect(refused.failure?.message).toContain('is not later than latest backup label');
  });
});
