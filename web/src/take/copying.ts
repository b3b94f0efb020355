/** The text of a whole document, to be pasted elsewhere. */
import { shownLines } from '../documents/lines'
import type { Entry } from '../documents/types'
import { textOf } from '../text/rows'
import { html, tabbed } from '../text/tables'

/** With the person's changes; an empty line between pages. */
export function wholeText(entry: Entry): string {
  const checked = new Set(entry.checked)
  return (entry.document?.pages ?? [])
    .map((page) => textOf(page, shownLines(page, entry.edits, checked)))
    .filter(Boolean)
    .join('\n\n')
}

/** All tables, for a spreadsheet; null without any. */
export function wholeTables(entry: Entry): { text: string; html: string } | null {
  const tables = (entry.document?.pages ?? []).flatMap((page) => page.tables ?? [])
  if (!tables.length) return null
  return { text: tables.map(tabbed).join('\n\n'), html: tables.map(html).join('<br>') }
}
