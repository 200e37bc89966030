/** Text of others, made safe to show: nothing in it may steer the terminal, the page or the reading direction. */

// Control and format characters (the latter turn the reading direction, or have no width), separators, halves of characters.
const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Shows what could not be seen by its code, `⟨1B⟩`; keeps tabs and newlines. */
export function visible(text: string): string {
  return text.replace(unseen, (character) => `⟨${codeOf(character)}⟩`);
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0');
}

/** The same on one line. */
export function oneLine(text: string): string {
  return visible(text.replace(/\r?\n/g, ' ').replace(/\t/g, ' ')).trim();
}

/** At most `length` characters; what was cut is shown to be cut. */
export function clipped(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, Math.max(0, length - 1)).join('')}…`;
}
