/** Who is in the lab's workspace, and where they talk. */

export const labPersons = ['ana', 'ben', 'cara', 'dora'] as const;
export type LabPerson = (typeof labPersons)[number];

export const cast: Record<LabPerson, { name: string; slack: string }> = {
  ana: { name: 'Ana Duarte', slack: 'U0ANA0001' },
  ben: { name: 'Ben Okafor', slack: 'U0BEN0002' },
  cara: { name: 'Cara Lindqvist', slack: 'U0CARA003' },
  dora: { name: 'Dora Petrova', slack: 'U0DORA004' },
};

/** In the workspace, and no person of the plan. */
export const stranger = { name: 'Stig Stranger', slack: 'U0STIG005' } as const;

export const incidentChannel = { id: 'C0INCIDENT', name: 'incidents' } as const;
export const otherChannel = { id: 'C0GENERAL0', name: 'general' } as const;

/** The app: what it is called, and its own user. */
export const app = {
  id: 'A0LIFEBOAT',
  user: 'U0LIFEBOAT',
  bot: 'B0LIFEBOAT',
  name: 'Lifeboat',
  team: 'T0LAB0000',
} as const;
