/** What a person does in the Temporal UI, with its own buttons and forms. */
import type { Locator, Page } from 'playwright-core';

const workflows = '/namespaces/default/workflows';

export class TemporalUi {
  readonly page: Page;
  readonly #url: string;

  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
  }

  /** The form "Start a Workflow", with this typed into its box of JSON. */
  async start(workflowType: string, workflowId: string, json: string): Promise<void> {
    const query = new URLSearchParams({ taskQueue: 'lifeboat', workflowType, workflowId });
    await this.page.goto(`${this.#url}${workflows}/start-workflow?${query}`);
    await this.#write(this.page.locator('[contenteditable=true]').first(), json);
    await this.page.getByTestId('start-workflow-button').click();
  }

  /** The run's page: its `history`, or the live page (`user-metadata`). */
  async open(workflowId: string, tab: 'history' | 'user-metadata'): Promise<void> {
    await this.page.goto(`${this.#url}${workflows}/${workflowId}`);
    await this.page.getByTestId(`${tab}-tab`).click();
  }

  /** "Send an Update" of the run that is open. @returns what the UI says of it, and whether it is red */
  async update(name: string, json: string): Promise<{ red: boolean; said: string }> {
    const dialog = await this.#dialog('update');
    await dialog.getByTestId('update-select-button').click();
    await dialog.getByRole('option', { name: new RegExp(`^${name}\\b`) }).click();
    await this.#write(dialog.locator('[contenteditable=true]'), json);
    await dialog.getByTestId('confirm-modal-button').click();
    const bad = dialog.getByRole('alert');
    const good = this.page.getByText('Update successful');
    await bad.or(good).first().waitFor();
    if (!(await bad.isVisible())) return { red: false, said: (await good.first().textContent()) ?? '' };
    const said = (await bad.textContent()) ?? '';
    await dialog.getByRole('button', { name: 'Cancel' }).last().click();
    return { red: true, said };
  }

  /** Names and descriptions of the updates that the run offers. */
  async updates(): Promise<string[]> {
    const dialog = await this.#dialog('update');
    await dialog.getByTestId('update-select-button').click();
    await dialog.getByRole('option').first().waitFor();
    const offered = await dialog.getByRole('option').allTextContents();
    await this.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    return offered;
  }

  /** The large blue button. */
  async requestCancellation(): Promise<void> {
    await this.page.getByRole('button', { name: 'Request Cancellation' }).filter({ visible: true }).first().click();
    await this.page.locator('dialog[open]').getByTestId('confirm-modal-button').click();
  }

  async #dialog(action: 'update' | 'signal'): Promise<Locator> {
    // The page is drawn twice, for wide and for narrow windows.
    const visible = (one: Locator) => one.filter({ visible: true }).first();
    await visible(this.page.getByRole('button', { name: 'More Actions' })).click();
    await visible(this.page.getByTestId(`${action}-button`)).click();
    return this.page.locator('dialog[open]');
  }

  async #write(box: Locator, text: string): Promise<void> {
    await box.click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.insertText(text);
    // Left alone, the box lays its text out anew, and what lies below moves away from under the pointer.
    await box.blur();
  }
}
