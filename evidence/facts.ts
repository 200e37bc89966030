import type { Approval, Subject } from './people.ts';

/** The facts of an approval in the order in which people were shown them: in the store their names stand in that of the alphabet. */
export function factsOf({ subject, shown, order = [] }: Pick<Approval, 'subject' | 'shown' | 'order'>): {
  subject: Subject;
  shown: Subject;
} {
  return { subject: inOrder(subject, order), shown: inOrder(shown, order) };
}

function inOrder(facts: Subject, order: readonly string[]): Subject {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.fromEntries(Object.entries(facts).sort(([a], [b]) => place(a) - place(b)));
}
