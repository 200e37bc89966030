import { Command } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import type { Cli } from '../../../cli/cli.ts';
import { type DoctorReport, doctorCommand, renderDoctor } from '../../../cli/doctor.ts';

const nobody = '127.0.0.1:1';

const report: DoctorReport = {
  ok: false,
  lifeboat: '0.1.0',
  node: { version: '20.20.2', path: '/usr/bin/node', ok: true },
  system: 'linux x64',
  user: 'ana',
  cache: '/home/ana/.cache/lifeboat',
  parts: [
    { name: 'postgresql', optional: false, version: '15.18', path: '/usr/lib/postgresql/15/bin' },
    {
      name: 'haproxy',
      optional: false,
      missing: {
        wanted: 'HAProxy 2.2 or newer',
        purpose: 'the front door',
        reason: 'not found',
        command: 'sudo x haproxy',
      },
    },
    {
      name: 'chromium',
      optional: true,
      missing: {
        wanted: 'Chromium',
        purpose: 'tests of the report page',
        reason: 'not found',
        command: 'sudo x chromium',
      },
    },
  ],
  temporal: { answers: true, address: '10.0.0.7:7233', namespace: 'default' },
};

afterEach(() => {
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

test('what is missing is shown with its command, and what is optional is not counted', () => {
  const lines = renderDoctor(report)
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim());

  expect(lines).toContain('✓ postgresql 15.18 /usr/lib/postgresql/15/bin');
  expect(lines).toContain('✗ haproxy missing HAProxy 2.2 or newer: not found; needed for the front door');
  expect(lines).toContain('sudo x haproxy');
  expect(lines).toContain('- chromium missing Chromium: not found; needed for tests of the report page (optional)');
  expect(lines).toContain('temporal answers at 10.0.0.7:7233, namespace default');
  expect(lines.at(-1)).toMatch(/^Missing: haproxy\./);
});

test('an old Node.js is missing like anything else', () => {
  const old = { ...report, node: { ...report.node, version: '18.1.0', ok: false } };
  expect(renderDoctor(old).split('\n').at(-1)).toMatch(/^Missing: node, haproxy\./);
});

test('a program that cannot be used is told to the shell, a silent Temporal server is only told to people', async () => {
  vi.stubEnv('LIFEBOAT_HAPROXY', '/nowhere/haproxy');
  vi.stubEnv('TEMPORAL_ADDRESS', nobody);
  const printed: string[] = [];
  const program = new Command('lifeboat').configureOutput({ writeOut: (text) => void printed.push(text) });
  // Only a watch asks anybody else.
  doctorCommand(program, {} as Cli);

  await program.parseAsync(['doctor', '--json'], { from: 'user' });

  const found = JSON.parse(printed.join('')) as DoctorReport;
  expect(found.parts.filter(({ missing }) => missing?.reason.includes('/nowhere/haproxy is not usable'))).toHaveLength(
    1,
  );
  expect(found.ok).toBe(false);
  expect(found.temporal.answers).toBe(false);
  expect(found.temporal.why).toContain(nobody);
  expect(process.exitCode).toBe(1);
}, 30_000);
