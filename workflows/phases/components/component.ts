/** What every runbook needs of a component, whatever its kind: how it stands, and the steps that bring it back. */
import type { Found } from '../../../activities/shapes.ts';
import type { Component } from '../../../plan/components.ts';
import type { Run } from '../../runbook/run.ts';

/** How a component was found. What nobody can tell is not healthy, and says why. */
export interface Standing extends Found {
  healthy: boolean;
  /** Not as it should be, and whoever stands on it is served all the same. */
  serves?: true;
}

export interface BringingBack {
  /**
   * Looks, inside of a step of whoever asks; changes nothing, and may be asked again.
   *
   * @throws where nothing that a run can do would bring it back: what is missing has to be there before anything is changed
   */
  look(): Promise<Standing>;
  /** Changes and proofs, steps of their own. Called once, when everything that it stands on is there. */
  bringBack(): Promise<void>;
  /** Instead of it, for what is healthy and would go on with what was replaced below it. Absent: such a kind goes on by itself. */
  beginAnew?(): Promise<void>;
}

/** Names of steps carry the component's name: they are unique in a run. */
export type Bring<C extends Component = Component> = (run: Run, named: { name: string; component: C }) => BringingBack;
