/** A better document takes the place of an earlier one, and a person keeps the line that was selected. */
import { markRaw } from 'vue'
import { currentId, currentPage, hovered, page, select, selected, setDocument } from '../documents/store'
import type { Doc, Entry, Line, Page } from '../documents/types'
import { say } from '../shell/messages'
import { t } from './words'

/** Changes that were made to a preview refer to lines that are no more, and go. */
export function replace(entry: Entry, document: Doc, preview = false): void {
  const shown = currentId.value === entry.id
  const before = shown ? page.value : null
  const key = shown ? selected.value : null
  if (entry.preview) {
    if (entry.edits.length > 0) say(t('editsGone', { name: entry.name }))
    entry.edits = markRaw([])
    entry.checked = []
  }
  entry.preview = preview
  setDocument(entry, document)
  if (!shown) return
  hovered.value = null
  const pages = document.pages
  if (pages[0] && !pages.some((each) => each.number === currentPage.value))
    currentPage.value = pages[0].number
  if (key !== null) select(before && page.value ? samePlace(before, page.value, key) : null)
}

/** The key of the line of `after` that lies over line `key` of `before`; null where none does. */
export function samePlace(before: Page, after: Page, key: string): string | null {
  const old = before.lines[Number(key.split(':')[1]) - 1]
  if (!old) return null
  let best: { key: string; shared: number } | null = null
  for (const [index, line] of after.lines.entries()) {
    const shared = overlap(boxOf(old), boxOf(line))
    if (shared > (best?.shared ?? 0)) best = { key: `${after.number}:${index + 1}`, shared }
  }
  return best?.key ?? null
}

type Box = readonly [left: number, top: number, right: number, bottom: number]

function boxOf(line: Line): Box {
  const x = line.polygon.map((point) => point[0])
  const y = line.polygon.map((point) => point[1])
  return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)]
}

/** Shared area. */
function overlap(one: Box, other: Box): number {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0])
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1])
  return width > 0 && height > 0 ? width * height : 0
}
