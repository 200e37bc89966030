/** Whatever happens, in whatever order: an approval is given by its quorum of different entitled people on the facts as they are, or not at all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ApprovalMessage,
  type ApprovalRules,
  confirm,
  expire,
  rejecters,
  take,
  winner,
} from '../../../evidence/approvals.ts';
import { shortCode } from '../../../evidence/canonical.ts';
import type { Approval } from '../../../evidence/people.ts';

const persons = { ana: 'Ana', ben: 'Ben', cem: 'Cem', dora: 'Dora', eve: 'Eve' };
const crowd = [...Object.keys(persons), 'mallory'];
const groups = [
  ['ana', 'ben', 'cem'],
  ['dora', 'ana'],
];
const minute = 60_000;
const start = Date.parse('2026-11-21T14:00:00.000Z');
const iso = (ms: number): string => new Date(ms).toISOString();

interface Setting {
  quorum: number;
  requester: string;
  signedOnly: boolean;
  onExpiry: 'deny' | 'proceed' | 'escalate';
}

type Event =
  | {
      what: 'click';
      by: string;
      no: boolean;
      choice?: 'later' | undefined;
      value?: string | undefined;
      signed: ApprovalMessage['signed'];
      old: boolean;
    }
  | { what: 'deadline' | 'facts change' | 'facts are read' | 'reset' | 'crash' };

/** A run's side of it: what is approved, what was drawn, and the approval as it stands in the history. */
class Scene {
  facts = 1;
  nonce = 0;
  now = start;
  approval: Approval;
  /** Codes of what was void, or was reset away. */
  readonly oldCodes: string[] = ['00000000'];
  readonly setting: Setting;

  constructor(setting: Setting) {
    this.setting = setting;
    this.approval = this.open();
  }

  get people(): string[] {
    return (groups[0] ?? []).filter((one) => one !== this.setting.requester);
  }

  open(): Approval {
    this.nonce += 1;
    const hash = `facts ${this.facts}`;
    return {
      id: 'database/cross',
      name: 'Cross',
      rule: 'default',
      round: this.nonce,
      subject: { facts: this.facts },
      shown: {},
      hash,
      nonce: String(this.nonce),
      code: shortCode(`${hash}:${this.nonce}`),
      quorum: this.setting.quorum,
      asked: [{ group: 'dba', people: this.people, since: iso(this.now), until: iso(this.now + 15 * minute) }],
      alternatives: { later: { label: 'Later', wants: 'text' } },
      openedAt: iso(this.now),
      clicks: [],
    };
  }

  rules(): ApprovalRules {
    const { requester, signedOnly, onExpiry } = this.setting;
    const later = onExpiry === 'escalate' ? groups.flat().filter((one) => one !== requester) : [];
    return { persons, requester, signedOnly, later };
  }

  happen(event: Event): void {
    this.now += minute;
    if (event.what === 'click') this.click(event);
    else if (event.what === 'facts change') this.facts += 1;
    else if (event.what === 'deadline') this.expire();
    else if (event.what === 'reset') this.anew();
    else if (event.what === 'crash') this.approval = JSON.parse(JSON.stringify(this.approval)) as Approval;
    else if (winner(this.approval) !== undefined && this.approval.outcome === undefined) this.confirm();
  }

  click({ by, no, choice, value, signed, old }: Extract<Event, { what: 'click' }>): void {
    const code = old ? (this.oldCodes.at(-1) ?? '') : this.approval.code;
    const objection = signed === 'forged' ? 'the signature does not fit' : undefined;
    const kind = no ? 'reject' : 'approve';
    take(
      this.approval,
      { at: iso(this.now), kind, by, channel: 'cli', signed, objection, code, choice, value },
      this.rules(),
    );
  }

  expire(): void {
    const { onExpiry, requester } = this.setting;
    const escalated = this.approval.asked.length > 1;
    const people = [...new Set(groups.flat())].filter((one) => one !== requester);
    const next = escalated ? undefined : { group: 'lead', people };
    expire(this.approval, iso(this.now), { onExpiry, next, deadlineMs: 15 * minute });
  }

  confirm(): void {
    const hash = `facts ${this.facts}`;
    if (confirm(this.approval, { hash, at: iso(this.now), changed: 'facts' }, persons) === 'void') this.anew();
  }

  anew(): void {
    this.oldCodes.push(this.approval.code);
    this.approval = this.open();
  }
}

/** Counted again from what was sent alone, in another way than the code under test does it. */
class Witness {
  readonly stands = new Map<string, string>();
  code: string;

  constructor({ approval }: Scene) {
    this.code = approval.code;
  }

  see(event: Event, scene: Scene): void {
    if (scene.approval.code !== this.code) {
      this.code = scene.approval.code;
      this.stands.clear();
    }
    if (event.what !== 'click' || event.old || event.by === scene.setting.requester || event.by === 'mallory') return;
    const asked = scene.approval.asked.length > 1 ? groups.flat() : (groups[0] ?? []);
    const sound =
      event.signed === 'person' || event.signed === 'gateway' || (event.signed === 'no' && !scene.setting.signedOnly);
    if (!asked.includes(event.by) || !sound) return;
    if (event.no) this.stands.set(event.by, 'no');
    else if (event.choice === undefined && event.value === undefined) this.stands.set(event.by, 'yes');
    else if (event.choice === 'later' && event.value) this.stands.set(event.by, `later ${event.value}`);
  }

  /** Different entitled people who say this now. */
  saying(words: string): number {
    return [...this.stands.values()].filter((one) => one === words).length;
  }
}

const settings: fc.Arbitrary<Setting> = fc.record({
  quorum: fc.integer({ min: 1, max: 3 }),
  requester: fc.constantFrom(...crowd),
  signedOnly: fc.boolean(),
  onExpiry: fc.constantFrom('deny', 'proceed', 'escalate'),
});

const clicks: fc.Arbitrary<Event> = fc.record(
  {
    what: fc.constant('click' as const),
    // Mostly those who are asked: else hardly any approval would come near its quorum.
    by: fc.constantFrom(...crowd, 'ana', 'ben', 'ana', 'ben', 'cem'),
    no: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    choice: fc.constant('later' as const),
    value: fc.constantFrom('noon', 'night'),
    signed: fc.constantFrom<ApprovalMessage['signed'][]>('person', 'gateway', 'no', 'forged'),
    old: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  },
  { requiredKeys: ['what', 'by', 'no', 'signed', 'old'] },
);

const plainly = clicks.map((click) =>
  click.what === 'click' ? { ...click, choice: undefined, value: undefined } : click,
);

const others: fc.Arbitrary<Event> = fc.record({
  what: fc.constantFrom(
    ...(['deadline', 'facts change', 'reset', 'crash'] as const),
    ...(['facts are read', 'facts are read', 'facts are read', 'facts are read'] as const),
  ),
});

const events = fc.array(
  fc.oneof({ weight: 1, arbitrary: clicks }, { weight: 4, arbitrary: plainly }, { weight: 2, arbitrary: others }),
  {
    maxLength: 40,
  },
);

test('no approval opens without its quorum of different entitled people on the current facts', () => {
  let opened = 0;
  fc.assert(
    fc.property(settings, events, (setting, happens) => {
      const scene = new Scene(setting);
      const witness = new Witness(scene);
      for (const event of happens) {
        const before = scene.approval.outcome;
        // A closed approval takes nothing any more.
        if (before === undefined) witness.see(event, scene);
        scene.happen(event);
        const { outcome, chosen, hash } = scene.approval;
        if (outcome !== 'approved' || before === 'approved') continue;
        opened += 1;
        expect(hash).toBe(`facts ${scene.facts}`);
        const words = chosen?.choice === 'approve' ? 'yes' : `later ${chosen?.value}`;
        expect(witness.saying(words)).toBeGreaterThanOrEqual(setting.quorum);
      }
    }),
  );
  // Else it would have proven nothing.
  expect(opened).toBeGreaterThan(0);
});

test('once closed an approval stays as it was closed, and every message is kept and answered', () => {
  fc.assert(
    fc.property(settings, events, (setting, happens) => {
      const scene = new Scene(setting);
      for (const event of happens) {
        const { approval } = scene;
        const { outcome, closedAt, clicks: kept } = structuredClone(approval);
        scene.happen(event);
        if (outcome === undefined || scene.approval.code !== approval.code) continue;
        expect(scene.approval).toMatchObject({ outcome, closedAt });
        if (event.what !== 'click') continue;
        expect(scene.approval.clicks).toHaveLength(kept.length + 1);
        expect(scene.approval.clicks.at(-1)?.said).toMatch(/^(Too late|Not counted)/);
      }
    }),
  );
});

test('silence goes on only where the plan says proceed', () => {
  fc.assert(
    fc.property(settings, events, (setting, happens) => {
      const scene = new Scene(setting);
      for (const event of happens) scene.happen(event);
      if (scene.approval.outcome !== 'proceeded') return;
      expect(setting.onExpiry).toBe('proceed');
      // A no is an answer, also where it is too few to reject.
      expect(rejecters(scene.approval)).toEqual([]);
    }),
  );
});

test('a no stands against silence: where one has rejected, the end of the time is no yes', () => {
  const scene = new Scene({ quorum: 2, requester: 'eve', signedOnly: true, onExpiry: 'proceed' });
  scene.happen({ what: 'click', by: 'ana', no: true, signed: 'person', old: false });
  scene.happen({ what: 'deadline' });
  expect(scene.approval).toMatchObject({
    outcome: 'expired',
    why: '0 of 2 had approved, and 1 rejected, when the time was up',
  });
});

test('it is rejected exactly when those who have not rejected are too few', () => {
  const scene = new Scene({ quorum: 2, requester: 'eve', signedOnly: true, onExpiry: 'deny' });
  const no = (by: string) => scene.happen({ what: 'click', by, no: true, signed: 'person', old: false });
  no('ana');
  expect(scene.approval.outcome).toBeUndefined();
  no('ana');
  expect(scene.approval.outcome).toBeUndefined();
  no('ben');
  expect(scene.approval).toMatchObject({
    outcome: 'rejected',
    why: '2 of 3 rejected, so that 2 can no longer be reached',
  });
});
