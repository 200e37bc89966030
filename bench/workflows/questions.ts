/** What the bench and its workflows that ask have in common. */
import { defineQuery, defineUpdate } from '@temporalio/workflow';

/** The step that follows a question. */
export const afterQuestion = (number: number): string => `After question ${number}`;

/** Of a bare workflow. Not `approve`: it has no code, no signature and no person. */
export const yesUpdate = defineUpdate<string>('yes');
/** Of a bare workflow: the number of the question that is open. */
export const bareQuery = defineQuery<number>('bare');
