/** The documents of this tab, and what of them is looked at. One tab, one state; components read it, actions change it. */
import { computed, markRaw, reactive, ref, shallowRef } from 'vue'
import { isDoubtful, pageOf, shownLines, withEdit } from './lines'
import type { Doc, Entry, LineEdit, Page, ShownLine } from './types'

export const entries = reactive<Entry[]>([])
export const currentId = ref<string | null>(null)
/** `number` of the page that is shown. */
export const currentPage = ref(1)
/** Keys of `ShownLine`; shallow, since they change with every move of the mouse. */
export const hovered = shallowRef<string | null>(null)
export const selected = shallowRef<string | null>(null)
export const boxesShown = ref(true)
/** A person is drawing a region that is to be read again. */
export const drawing = ref(false)

export const current = computed<Entry | null>(
  () => entries.find((entry) => entry.id === currentId.value) ?? null,
)
export const page = computed<Page | null>(() =>
  current.value ? pageOf(current.value, currentPage.value) : null,
)
export const lines = computed<ShownLine[]>(() =>
  current.value && page.value
    ? shownLines(page.value, current.value.edits, new Set(current.value.checked))
    : [],
)
/** Lines of all pages of the current entry that a person should look at. */
export const doubtful = computed<ShownLine[]>(() => {
  const entry = current.value
  if (!entry?.document) return []
  const checked = new Set(entry.checked)
  return entry.document.pages.flatMap((each) => shownLines(each, entry.edits, checked).filter(isDoubtful))
})

export function add(entry: Entry): Entry {
  entries.push(entry)
  if (currentId.value === null) show(entry.id)
  return entries[entries.length - 1] as Entry // the reactive one
}

export function remove(id: string): void {
  const index = entries.findIndex((entry) => entry.id === id)
  if (index < 0) return
  entries.splice(index, 1)
  if (currentId.value === id) show((entries[index] ?? entries[index - 1])?.id ?? null)
}

export function show(id: string | null, pageNumber?: number): void {
  currentId.value = id
  const entry = entries.find((candidate) => candidate.id === id)
  currentPage.value = pageNumber ?? entry?.document?.pages[0]?.number ?? 1
  selected.value = hovered.value = null
}

export function showPage(number: number): void {
  if (number === currentPage.value) return
  currentPage.value = number
  selected.value = hovered.value = null
}

/** Marks a line on both sides, and goes to its page. */
export function select(key: string | null): void {
  if (key !== null) {
    const number = Number(key.split(':')[0])
    if (number !== currentPage.value) showPage(number)
  }
  selected.value = key
}

/** Large values are left raw: Vue would otherwise wrap each of thousands of lines. */
export function setDocument(entry: Entry, document: Doc): void {
  entry.document = markRaw(document)
}

export function edit(entry: Entry, change: LineEdit): void {
  if (entry.document) entry.edits = markRaw(withEdit(entry.document, entry.edits, change))
}

export function check(entry: Entry, key: string, right: boolean): void {
  entry.checked = right
    ? [...new Set([...entry.checked, key])]
    : entry.checked.filter((other) => other !== key)
}
