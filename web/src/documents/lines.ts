import type { Doc, Entry, Line, LineEdit, Page, ShownLine } from './types'

/** Below this a person should look at a line. */
export const DOUBTFUL = 0.9

/** The lines of a page as a person changed them, in reading order. */
export function shownLines(
  page: Page,
  edits: readonly LineEdit[],
  checked: ReadonlySet<string>,
): ShownLine[] {
  const ours = edits.filter((edit) => edit.page === page.number)
  const changes = new Map(ours.filter((edit) => edit.line !== null).map((edit) => [edit.line, edit.text]))
  const shown = added(page, ours, 0, checked)
  page.lines.forEach((line, index) => {
    const text = changes.get(index + 1)
    if (text !== '') shown.push(ofLine(page, line, index + 1, text, checked))
    shown.push(...added(page, ours, index + 1, checked))
  })
  return shown
}

function ofLine(
  page: Page,
  line: Line,
  number: number,
  text: string | undefined,
  checked: ReadonlySet<string>,
): ShownLine {
  const key = `${page.number}:${number}`
  return {
    key,
    page: page.number,
    number,
    text: text ?? line.text,
    score: line.score,
    polygon: line.polygon as unknown as ShownLine['polygon'],
    angle: line.angle,
    vertical: line.vertical,
    words: line.words as ShownLine['words'],
    original: line,
    edited: text !== undefined && text !== line.text,
    checked: checked.has(key),
  }
}

function added(
  page: Page,
  edits: readonly LineEdit[],
  after: number,
  checked: ReadonlySet<string>,
): ShownLine[] {
  return edits
    .filter((edit) => edit.line === null && edit.after === after && edit.text !== '')
    .map((edit) => {
      const key = `${page.number}:+${edit.id ?? ''}`
      return {
        key,
        page: page.number,
        number: null,
        text: edit.text,
        score: edit.score ?? 1,
        polygon: edit.polygon ?? [],
        angle: 0,
        vertical: false,
        words: [],
        original: null,
        edited: true,
        checked: checked.has(key),
      }
    })
}

/** Whether a person should look at a line. */
export function isDoubtful(line: ShownLine): boolean {
  return !line.edited && !line.checked && line.score < DOUBTFUL
}

/** How many lines of an entry a person should look at; counted without making them, for lists of many entries. */
export function countDoubtful({
  document,
  edits,
  checked,
}: Pick<Entry, 'document' | 'edits' | 'checked'>): number {
  const settled = new Set(checked)
  for (const edit of edits) settled.add(`${edit.page}:${edit.line}`)
  let count = 0
  for (const page of document?.pages ?? []) {
    page.lines.forEach((line, index) => {
      if (line.score < DOUBTFUL && !settled.has(`${page.number}:${index + 1}`)) count++
    })
  }
  return count
}

/** The edits with one more; it takes the place of an earlier one of the same line, and one that changes nothing goes. */
export function withEdit(document: Doc, edits: readonly LineEdit[], edit: LineEdit): LineEdit[] {
  const others = edits.filter(
    (other) =>
      other.page !== edit.page || other.line !== edit.line || (edit.line === null && other.id !== edit.id),
  )
  const page = document.pages.find((candidate) => candidate.number === edit.page)
  const original = edit.line === null ? '' : page?.lines[edit.line - 1]?.text
  return edit.text === original ? others : [...others, edit]
}

/** The page of an entry, by its `number`. */
export function pageOf(entry: Entry, number: number): Page | null {
  return entry.document?.pages.find((page) => page.number === number) ?? null
}
