/** Workers, tools and the engine die in the middle of a switchover: it goes on to its end, and nothing that was acknowledged is lost. */
import { test } from 'vitest';
import { switchovers } from '../../../scripts/kills/switchover.ts';
import { expectSurvived, walkPatienceMs } from '../walked.ts';

test('a switchover in which somebody is killed', () => expectSurvived(switchovers), walkPatienceMs);
