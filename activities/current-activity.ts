import { asyncLocalStorage, type Context } from '@temporalio/activity';

/** Of the activity that asks. What runs outside of one, such as a worker's metrics, is cancelled by nobody and tried by nobody again. */
export function currentActivity(): Context | undefined {
  return asyncLocalStorage.getStore();
}
