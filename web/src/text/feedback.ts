/** Corrections on their way to the server: only with consent, a moment after they were made, and again where that fails. */
import { computed, shallowRef, watch } from 'vue'
import { ApiError, call } from '../api/client'
import { capabilities } from '../take/capabilities'
import type { Doc, Entry, Problem, ShownLine } from '../documents/types'
import { key as session } from '../session/session'
import { asking, consent, pictures } from './consent'
import { linePng } from './crops'

/** As `POST /v1/feedback` takes it. */
export interface Correction {
  readonly document: string
  readonly page: number
  readonly line: number
  readonly polygon: ShownLine['polygon']
  readonly original: string
  readonly correction: string
  readonly model: string
  readonly model_version: string
}

interface Item {
  /** Of the entry and its line: a later correction takes the place of one that waits. */
  readonly name: string
  readonly body: Correction
  readonly picture: () => Promise<string | null>
  readonly tries: number
  readonly due: number
}

/** So that what is undone, or corrected once more, at once was never sent. */
const HOLD_MS = 4_000
const FIRST_PAUSE_MS = 2_000
const MOST_TRIES = 6
const MOST_WAITING = 200

const queue = shallowRef<readonly Item[]>([])
/** Made while the question whether to send them is open. */
let undecided: readonly Item[] = []
let timer: ReturnType<typeof setTimeout> | undefined
let busy = false

export const waiting = computed(() => queue.value.length)
export const sent = shallowRef(0)
/** Given up. */
export const lost = shallowRef(0)
export const lastProblem = shallowRef<Problem | null>(null)
/** The server said that it keeps no pictures. */
export const picturesRefused = shallowRef(false)

/** Sends what a line should have been read as, if the person agrees; asks them once. */
export async function offer(entry: Entry, line: ShownLine, text: string): Promise<void> {
  const body = correctionOf(entry, line, text)
  if (!body || consent.value === 'no' || !(await capabilities())?.feedback) return
  const item = {
    name: nameOf(entry, line.key),
    body,
    picture: () => linePng(entry, line),
    tries: 0,
    due: Date.now() + HOLD_MS,
  }
  if (consent.value === 'yes') put(item)
  else if (consent.value === 'ask') {
    undecided = [...undecided.filter((other) => other.name !== item.name), item].slice(-MOST_WAITING)
    asking.value = true
  }
}

/** The answer to the question. */
export function decide(answer: 'yes' | 'no', withPictures: boolean): void {
  consent.value = answer
  pictures.value = withPictures ? 'yes' : 'no'
  asking.value = false
  if (answer === 'yes') undecided.forEach(put)
  undecided = []
}

/** A line is no longer what was offered. */
export function withdraw(entry: Entry, key: string): void {
  const name = nameOf(entry, key)
  undecided = undecided.filter((item) => item.name !== name)
  queue.value = queue.value.filter((item) => item.name !== name)
}

/** null where there is nothing to learn from: text that no recogniser read, lines that a person added, a file without a hash. */
export function correctionOf(entry: Entry, line: ShownLine, text: string): Correction | null {
  const original = line.original
  const model = modelOf(entry.document)
  if (!original || original.source !== 'ocr' || line.number === null) return null
  if (!model || !entry.sha256 || entry.preview || original.polygon.length !== 4) return null
  return {
    document: entry.sha256,
    page: line.page,
    line: line.number,
    polygon: line.polygon,
    original: original.text,
    correction: text,
    model: model.name,
    model_version: model.version,
  }
}

watch(consent, (now) => {
  if (now !== 'yes') queue.value = []
})

// Whoever signs in next is somebody else: what was corrected here must not go to them, and they have agreed to nothing.
watch(
  session,
  (now) => {
    if (now) return
    queue.value = undecided = []
    asking.value = false
    consent.value = 'ask'
    pictures.value = 'no'
  },
  { flush: 'sync' },
)

function modelOf(document: Doc | null): Doc['models'][number] | null {
  return document?.models.find((model) => model.task === 'recognize') ?? null
}

function nameOf(entry: Entry, key: string): string {
  return `${entry.id} ${key}`
}

function put(item: Item): void {
  const others = queue.value.filter((other) => other.name !== item.name)
  const over = others.length + 1 - MOST_WAITING
  if (over > 0) lost.value += over
  queue.value = [...others.slice(Math.max(0, over)), item]
  wake()
}

function wake(): void {
  clearTimeout(timer)
  if (busy || !queue.value.length) return
  const due = Math.min(...queue.value.map((item) => item.due))
  timer = setTimeout(() => void work(), Math.max(0, due - Date.now()))
}

async function work(): Promise<void> {
  const item = queue.value.find((each) => each.due <= Date.now())
  if (item && consent.value === 'yes') {
    busy = true
    try {
      await send(item)
      sent.value++
      lastProblem.value = null
      leave(item)
    } catch (error) {
      failed(item, error)
    } finally {
      busy = false
    }
  }
  wake()
}

async function send(item: Item): Promise<void> {
  const crop = pictures.value === 'yes' && !picturesRefused.value ? await item.picture() : null
  if (!queue.value.includes(item)) return // withdrawn while its picture was drawn
  try {
    await post(crop ? { ...item.body, crop } : item.body)
  } catch (error) {
    if (!crop || !(error instanceof ApiError) || error.problem.status !== 403) throw error
    await post(item.body)
    picturesRefused.value = true
  }
}

async function post(body: object): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  await call('v1/feedback', { method: 'POST', headers, body: JSON.stringify(body) })
}

function failed(item: Item, error: unknown): void {
  const problem = error instanceof ApiError ? error.problem : null
  lastProblem.value = problem
  const again =
    problem !== null && (problem.retryable || problem.status === 401) && item.tries + 1 < MOST_TRIES
  if (!again) lost.value++
  const pause = Math.max((problem?.retry_after ?? 0) * 1_000, FIRST_PAUSE_MS * 2 ** item.tries)
  const later = { ...item, tries: item.tries + 1, due: Date.now() + pause }
  queue.value = queue.value.flatMap((other) => (other !== item ? [other] : again ? [later] : []))
}

function leave(item: Item): void {
  queue.value = queue.value.filter((other) => other !== item)
}
