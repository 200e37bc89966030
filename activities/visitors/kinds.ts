import type { Visitors } from '../../plan/visitors.ts';
import { haproxy } from './haproxy.ts';
import type { VisitorsKind } from './kind.ts';

export function kindOf(visitors: Visitors): VisitorsKind {
  switch (visitors.kind) {
    case 'haproxy':
      return haproxy(visitors);
  }
}
