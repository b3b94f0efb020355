/** What a person does to a line. Each can be undone, and is offered as feedback. */
import { check, edit } from '../documents/store'
import type { Entry, ShownLine } from '../documents/types'
import { offer, withdraw } from './feedback'
import { change, redo, undo } from './history'

const LONGEST = 10_000
const NO_TEXT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu // line breaks, control characters, halves of characters

/** What was typed or pasted, as one line. */
export function oneLine(text: string): string {
  return text.replace(NO_TEXT, ' ').trim().slice(0, LONGEST)
}

/** Gives a line another text; an empty one removes it. False where nothing changes. */
export function correct(entry: Entry, line: ShownLine, typed: string): boolean {
  const text = oneLine(typed)
  if (text === line.text) return false
  change(entry, line.key, () => {
    if (line.number !== null) {
      edit(entry, { page: line.page, line: line.number, text })
      return
    }
    const added = entry.edits.find((other) => `${other.page}:+${other.id ?? ''}` === line.key)
    if (added) edit(entry, { ...added, text })
  })
  if (text === line.original?.text) withdraw(entry, line.key)
  else void offer(entry, line, text)
  return true
}

/** Says that a line is right as it stands, or no longer. */
export function toggleChecked(entry: Entry, line: ShownLine): void {
  change(entry, line.key, () => check(entry, line.key, !line.checked))
  if (line.checked) withdraw(entry, line.key)
  else void offer(entry, line, line.text)
}

export function undoLast(entry: Entry): string | null {
  const key = undo()
  if (key !== null) withdraw(entry, key)
  return key
}

export function redoLast(): string | null {
  return redo()
}
