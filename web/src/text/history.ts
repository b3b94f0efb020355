/** What a person did to documents, to be taken back: `edits` and `checked` are replaced as a whole, so that keeping them is enough. */
import { computed, shallowRef } from 'vue'
import { currentId, entries, select } from '../documents/store'
import type { Entry } from '../documents/types'

interface Step {
  readonly entry: string
  /** Of the line that was changed. */
  readonly key: string
  readonly before: Snapshot
  readonly after: Snapshot
}

type Snapshot = Pick<Entry, 'edits' | 'checked'>

const MOST = 500

const past = shallowRef<readonly Step[]>([])
const future = shallowRef<readonly Step[]>([])

const here = (step: Step): boolean => step.entry === currentId.value
export const canUndo = computed(() => past.value.some(here))
export const canRedo = computed(() => future.value.some(here))

/** Does something to an entry that can be undone. */
export function change(entry: Entry, key: string, work: () => void): void {
  const before = snapshot(entry)
  work()
  const after = snapshot(entry)
  if (before.edits === after.edits && before.checked === after.checked) return
  past.value = [...past.value, { entry: entry.id, key, before, after }].slice(-MOST)
  future.value = future.value.filter((step) => step.entry !== entry.id)
}

/** Takes back the last change of the current document; the key of its line. */
export function undo(): string | null {
  return move(past, future, 'before')
}

export function redo(): string | null {
  return move(future, past, 'after')
}

function move(from: typeof past, to: typeof past, side: 'before' | 'after'): string | null {
  const step = from.value.findLast(here)
  const entry = entries.find((candidate) => candidate.id === step?.entry)
  if (!step || !entry) return null
  from.value = from.value.filter((other) => other !== step)
  to.value = [...to.value, step]
  entry.edits = step[side].edits
  entry.checked = step[side].checked
  select(step.key)
  return step.key
}

function snapshot({ edits, checked }: Entry): Snapshot {
  return { edits, checked }
}
