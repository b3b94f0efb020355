/** Finding lines by their text, on all pages. */
import { shownLines } from '../documents/lines'
import type { Entry, ShownLine } from '../documents/types'

export const MOST_FOUND = 500

/** Full-width forms and letters of either case are the same; at most one line more than `MOST_FOUND`. */
export function linesWith(entry: Entry, wanted: string): ShownLine[] {
  const needle = plain(wanted.trim())
  const checked = new Set(entry.checked)
  const found: ShownLine[] = []
  if (!needle) return found
  for (const page of entry.document?.pages ?? []) {
    for (const line of shownLines(page, entry.edits, checked)) {
      if (plain(line.text).includes(needle)) found.push(line)
      if (found.length > MOST_FOUND) return found
    }
  }
  return found
}

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
