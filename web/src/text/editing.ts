/** Which line is being edited, and where the hand goes next. */
import { nextTick, shallowRef } from 'vue'
import { current, select } from '../documents/store'
import type { ShownLine } from '../documents/types'
import { say } from '../shell/messages'
import { correct } from './correct'
import { t } from './words'

/** Key of the line; null while none is. */
export const editing = shallowRef<string | null>(null)

/** What is about to be replaced is not edited: it would be lost. */
export function begin(key: string): void {
  select(key)
  if (current.value?.preview) say(t('preview'))
  else editing.value = key
}

/** -1 and 1: the line before and after; 0: stay. */
export type Step = -1 | 0 | 1

export interface Editing {
  save: (line: ShownLine, text: string, step: Step) => void
  leave: (line: ShownLine) => void
}

/**
 * Editing in a list of lines.
 *
 * `order` gives the lines as they are listed at the moment; `focus` puts the keyboard on one of them.
 */
export function useEditing(order: () => readonly ShownLine[], focus: (key: string) => void): Editing {
  function save(line: ShownLine, text: string, step: Step): void {
    const before = order().map((each) => each.key)
    if (current.value) correct(current.value, line, text)
    const to = following(before, new Set(order().map((each) => each.key)), line.key, step)
    editing.value = step !== 0 && to !== null && to !== line.key ? to : null
    go(to)
  }

  function leave(line: ShownLine): void {
    editing.value = null
    go(line.key)
  }

  function go(key: string | null): void {
    if (key === null) return
    select(key)
    if (editing.value === null) void nextTick(() => focus(key))
  }

  return { save, leave }
}

/** The line to go to from `key`: one that is still there, in the direction of the step, else the nearest; null where none is left. */
export function following(
  before: readonly string[],
  left: ReadonlySet<string>,
  key: string,
  step: Step,
): string | null {
  const at = before.indexOf(key)
  if (step === 0 && left.has(key)) return key
  const ahead = before.slice(at + 1).find((each) => left.has(each))
  const behind = before.slice(0, Math.max(0, at)).findLast((each) => left.has(each))
  if (step === 0) return ahead ?? behind ?? null
  const wanted = step === 1 ? ahead : behind
  return wanted ?? (left.has(key) ? key : (behind ?? ahead ?? null))
}
