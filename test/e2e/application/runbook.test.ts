/** The runbook that brings an application back, on a whole estate: the application is on a host of its own that systemd keeps. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { addToPlan, startHostWorker, unit } from '../../../lab/kept-application.ts';
import { ended, start, until, useEstate } from '../drill/scenario.ts';
import { host, type Stage, useMachine, whyNot } from './machine.ts';

describe.skipIf(whyNot !== undefined)('application recovery', () => {
  const scenario = useEstate();
  const stage = useMachine();
  let on: Stage;
  let worker: { pid: number };
  const work = async () => {
    const { estate } = scenario();
    const { machine, account } = on;
    worker = await startHostWorker(on.ground, { machine, host, home: estate.site.home, account, env: estate.env });
  };
  beforeAll(async () => {
    on = stage();
    await addToPlan(scenario().estate.planFile, on);
    await work();
  });
  beforeEach(() => on.reset());

  const recovered = async (input: object = {}): Promise<Evidence> =>
    ended(await start(scenario(), 'applicationRecovery', { mode: 'live', ...input }));
  const found = (evidence: Evidence, name: string) => evidence.steps.find((step) => step.name === name)?.found;

  test('a unit that has failed is shown by a dry run, and brought back by a live one', async () => {
    await on.kill();
    const shown = await recovered({ mode: 'dry-run' });
    expect(shown).toMatchObject({ outcome: 'previewed' });
    expect(await on.property('ActiveState')).toBe('failed');
    const evidence = await recovered();
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'completed', flags: [], leftBehind: [] });
    expect(found(evidence, 'How api stands')).toContain('signal 9');
    expect(found(evidence, 'api stays up and is healthy')).toContain('answers 200');
    expect(await on.property('ActiveState')).toBe('active');
    expect(await (await fetch(on.component.healthy.url)).text()).toMatch(/^ok/);
  });

  test('it is kept from running over an attempt to start it, and let run again', async () => {
    await on.heedsFlag();
    const quiet = await recovered({ action: 'quiesce' });
    expect(quiet).toMatchObject({ outcome: 'completed', leftBehind: [] });
    await on.machine.run('systemctl', 'restart', unit);
    expect(await on.property('ActiveState')).toBe('inactive');
    expect((await recovered()).failure).toMatchObject({
      type: 'ApplicationUnfit',
      message: expect.stringContaining(`quiesced by ${quiet.run}`),
    });
    expect(await recovered({ action: 'resume' })).toMatchObject({ outcome: 'completed' });
    expect(await on.property('ActiveState')).toBe('active');
  });

  test('the worker is killed in the middle of a restart: it is restarted once, and the run completes', async () => {
    await on.serviceIs({ ExecStop: '/bin/sleep 4' });
    const starts = await on.starts();
    const handle = await start(scenario(), 'applicationRecovery', { mode: 'live', action: 'restart' });
    await until('systemd to stop it', async () =>
      (await on.property('ActiveState')) === 'deactivating' ? true : undefined,
    );
    await on.machine.run('kill', '-KILL', `${worker.pid}`);
    await work();
    const evidence = await ended(handle);
    expect(evidence.failure).toBeUndefined();
    expect(evidence.outcome).toBe('completed');
    expect(await on.starts()).toBe(starts + 1);
  });
});
