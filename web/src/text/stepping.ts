/** Keys that work on lines wherever the focus is: step through the doubtful ones, edit, mark, undo. */
import { nextTick, type ComputedRef, type Ref } from 'vue'
import { countDoubtful } from '../documents/lines'
import { current, doubtful, entries, lines, select, selected, show } from '../documents/store'
import type { Entry, ShownLine } from '../documents/types'
import { useShortcut } from '../keys/keyboard'
import { redoLast, toggleChecked, undoLast } from './correct'
import { begin, editing, following } from './editing'
import { canRedo, canUndo } from './history'
import { t } from './words'

export type Tab = 'text' | 'doubtful' | 'tables' | 'fields'

export interface LineKeys {
  readonly canUndo: ComputedRef<boolean>
  readonly canRedo: ComputedRef<boolean>
  readonly undo: () => void
  readonly redo: () => void
}

/** `shown` is the tab that there is, `chosen` the one to change. */
export function useLineKeys(shown: Readonly<Ref<Tab>>, chosen: Ref<Tab>): LineKeys {
  function edit(event: KeyboardEvent): false | undefined {
    if (selected.value === null || isControl(event.target)) return false
    if (shown.value === 'tables' || shown.value === 'fields') chosen.value = 'text'
    // a line that is not doubtful is not in that list
    const listed = doubtful.value.some((line) => line.key === selected.value)
    if (shown.value === 'doubtful' && !listed) chosen.value = 'text'
    begin(selected.value)
  }

  function mark(): false | undefined {
    const line = lines.value.find((each) => each.key === selected.value)
    if (!current.value || current.value.preview || !line) return false
    const before = doubtful.value.map((each) => each.key)
    toggleChecked(current.value, line)
    if (shown.value !== 'doubtful' || !before.includes(line.key)) return
    const left = new Set(doubtful.value.map((each) => each.key))
    select(following(before, left, line.key, 0)) // none when all are checked: one C too many takes nothing back
  }

  const undo = (): void => {
    editing.value = null
    if (current.value) undoLast(current.value)
  }
  const redo = (): void => {
    editing.value = null
    redoLast()
  }

  useShortcut({ keys: ['j', 'n'], label: () => t('keyNext'), run: () => step(1) })
  useShortcut({ keys: ['k', 'p'], label: () => t('keyPrevious'), run: () => step(-1) })
  useShortcut({ keys: ['Enter', 'F2'], label: () => t('keyEdit'), run: edit })
  useShortcut({ keys: ['c'], label: () => t('keyCheck'), run: mark })
  useShortcut({
    keys: ['Control+z'],
    label: () => t('keyUndo'),
    run: (event) => {
      if (event.shiftKey) redo()
      else undo()
      return undefined
    },
  })
  return { canUndo, canRedo, undo, redo }
}

function step(direction: 1 | -1): false | undefined {
  const end = doubtful.value.at(direction === 1 ? -1 : 0)
  if (!end || end.key === selected.value) {
    const other = otherToCheck(direction)
    if (other) show(other.id)
  }
  const next = nextDoubtful(doubtful.value, selected.value, direction)
  if (!next) return false
  const inList = document.activeElement?.hasAttribute('data-key')
  select(next.key)
  if (inList) void nextTick(() => document.querySelector<HTMLElement>(`[data-selected][data-key]`)?.focus())
  return undefined
}

/** The nearest document after (1) or before (-1) the current one, round at the ends, of which lines are left to check. */
export function otherToCheck(direction: 1 | -1): Entry | undefined {
  const at = entries.findIndex((entry) => entry.id === current.value?.id)
  const around = [...entries.slice(at + 1), ...entries.slice(0, Math.max(0, at))]
  if (direction === -1) around.reverse()
  return around.find((entry) => entry.state === 'done' && countDoubtful(entry) > 0)
}

/** The doubtful line before or after a line of the document, which itself need not be doubtful; round at the ends. */
export function nextDoubtful(
  all: readonly ShownLine[],
  key: string | null,
  direction: 1 | -1,
): ShownLine | undefined {
  const at = all.findIndex((line) => line.key === key)
  if (at >= 0) return all[(at + direction + all.length) % all.length]
  const place = placeOf(key)
  const after = all.findIndex((line) => isAfter(placeOf(line.key), place))
  if (direction === 1) return all[Math.max(0, after)]
  return after < 0 ? all.at(-1) : all.at(after - 1)
}

function placeOf(key: string | null): readonly [number, number] {
  const [page, line] = (key ?? '0:0').split(':')
  return [Number(page), Number.parseInt(line ?? '0') || 0]
}

function isAfter(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] > other[0] || (one[0] === other[0] && one[1] > other[1])
}

/** What Enter already means something to. */
function isControl(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest('button, a, summary') !== null &&
    !target.matches('[data-key], [role="tab"]')
  )
}
