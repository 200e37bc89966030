/** The files that a run's evidence is kept as. */
import { createHash } from 'node:crypto';
import type { Evidence } from '../../evidence/evidence.ts';
import { renderHtml } from '../../evidence/render/html.ts';
import { renderMarkdown } from '../../evidence/render/markdown.ts';
import { evidenceFile } from './layout.ts';

export interface File {
  name: string;
  bytes: Uint8Array;
  contentType: string;
}

/** The page shows the hash of the evidence that it was drawn from: whoever holds both can tell that they belong together. */
export function filesOf(evidence: Evidence, bytes: Uint8Array, sha256: string): File[] {
  const encode = (text: string) => new TextEncoder().encode(text);
  return [
    { name: evidenceFile, bytes, contentType: 'application/json' },
    {
      name: 'report.md',
      bytes: encode(drawn(() => renderMarkdown(evidence))),
      contentType: 'text/markdown; charset=utf-8',
    },
    {
      name: 'report.html',
      bytes: encode(drawn(() => renderHtml(evidence, { sha256 }))),
      contentType: 'text/html; charset=utf-8',
    },
  ];
}

/** A report can be drawn again from the evidence at any time; evidence that was not written is lost. */
function drawn(draw: () => string): string {
  try {
    return draw();
  } catch (error) {
    return `The report could not be drawn (${error instanceof Error ? error.message : String(error)}). The evidence beside it is whole. Please report this.\n`;
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
