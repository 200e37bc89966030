import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { permitUnit } from '../../../activities/permit-unit.ts';
import type { SystemdUnit } from '../../../plan/components/systemd.ts';

let root: string;
const before = process.env.LIFEBOAT_PERMIT;
const systemctl = ['/usr/bin/sudo', '-n', '/usr/bin/systemctl'];
const health = 'http://127.0.0.1:8080/health';
const times = { staysUp: 1, startsWithin: 1, stopsWithin: 1, comesBackWithin: 1 };
const component: SystemdUnit = { kind: 'systemd', after: [], host: 'app1', unit: 'orders.service', ...times };
const permits = (units: object[]) => writeFile(join(root, 'permit.yaml'), stringify({ units, postgresql: '/usr/bin' }));

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-units-')));
  process.env.LIFEBOAT_PERMIT = join(root, 'permit.yaml');
});

afterAll(async () => {
  if (before === undefined) delete process.env.LIFEBOAT_PERMIT;
  else process.env.LIFEBOAT_PERMIT = before;
  await rm(root, { recursive: true, force: true });
});

test('a unit that is listed may be touched, by the words that are listed', async () => {
  const quiesced = join(root, 'quiesced.orders.service');
  await permits([{ unit: 'orders.service', systemctl, quiesced, health: [health] }]);
  const asked = { ...component, healthy: { url: health, status: 200, within: 1 } };
  expect(await permitUnit(asked)).toMatchObject({ systemctl, quiesced });
});

test('another unit of the host may not, and the line to add is said', async () => {
  await permits([{ unit: 'orders.service', systemctl }]);
  await expect(permitUnit({ ...component, unit: 'sshd.service' })).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringContaining(
      'of app1 adds the line "- {"unit":"sshd.service","systemctl":["/usr/bin/sudo","-n","/usr/bin/systemctl"]}" under "units:"',
    ),
  });
});

test('an address that is not listed is not asked: whoever can start a run could else ask anything from here', async () => {
  await permits([{ unit: 'orders.service', systemctl, health: [health] }]);
  const asked = { ...component, healthy: { url: 'http://169.254.169.254/latest', status: 200, within: 1 } };
  await expect(permitUnit(asked)).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringContaining('adds it to "health:"'),
  });
});

test('a link in the place of the file that keeps it down is refused', async () => {
  const quiesced = join(root, 'link');
  await symlink('/etc/hostname', quiesced);
  await permits([{ unit: 'orders.service', systemctl, quiesced }]);
  await expect(permitUnit(component)).rejects.toMatchObject({ type: 'NotPermitted' });
});

test('words that do not end in the path of systemctl permit nothing', async () => {
  await permits([{ unit: 'orders.service', systemctl: ['sudo', 'systemctl'] }]);
  await expect(permitUnit(component)).rejects.toMatchObject({
    message: expect.stringContaining('the last word is the path of systemctl'),
  });
});
