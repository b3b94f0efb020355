/** The picture of the page that is shown: as sharp as the view needs, drawn again when the view has come to rest. */
import { onBeforeUnmount, shallowRef, watch, type Ref } from 'vue'
import type { Entry } from '../documents/types'
import type { Camera } from './camera'
import { boundsOf, toPage, type Box, type Point } from './geometry'
import { LONGEST, pagePart, pagePixels, refused } from './pixels'
import { obstacleOf, type Obstacle } from './obstacle'

/** Where a page needs more pixels than this on its longer side, only the part that is seen is drawn so finely. */
const WHOLE = 3000
/** A picture may be this much finer than the screen before it is drawn again. */
const SPARE = 1.5
const REST_MS = 120

export interface Part {
  readonly canvas: HTMLCanvasElement
  readonly box: Box
}

export function usePicture(entry: Ref<Entry>, page: Ref<number>, camera: Camera) {
  const whole = shallowRef<HTMLCanvasElement | null>(null)
  const part = shallowRef<Part | null>(null)
  const problem = shallowRef<Obstacle | null>(null)
  const busy = shallowRef(false)
  let stop = new AbortController()
  let timer = 0

  const finest = (): number => camera.settled.value * devicePixelRatio
  const longer = (): number => Math.max(camera.size.value.width, camera.size.value.height)

  function restart(): AbortSignal {
    stop.abort()
    stop = new AbortController()
    return stop.signal
  }

  async function drawWhole(signal: AbortSignal): Promise<void> {
    const limit = entry.value.kind === 'image' ? LONGEST : WHOLE
    const wanted = Math.min(limit, Math.ceil(longer() * finest()))
    const there = whole.value ? Math.max(whole.value.width, whole.value.height) : 0
    if (there >= wanted && there <= wanted * SPARE) return
    busy.value = there === 0
    const pixels = await pagePixels(entry.value, page.value, wanted, signal)
    if (!signal.aborted) whole.value = pixels.canvas
  }

  async function drawPart(signal: AbortSignal): Promise<void> {
    const there = whole.value ? Math.max(whole.value.width, whole.value.height) : 0
    const scale = finest()
    if (longer() * scale <= there * 1.05) {
      part.value = null
      return
    }
    const box = onPage(camera)
    if (box.width < 1 || box.height < 1 || covers(part.value, box, scale)) return
    const wider = widened(box, camera)
    const canvas = await pagePart(entry.value, page.value, wider, scale, signal)
    if (!signal.aborted) part.value = canvas && { canvas, box: wider }
  }

  async function draw(): Promise<void> {
    const signal = restart()
    try {
      await drawWhole(signal)
      busy.value = false
      await drawPart(signal)
      if (!signal.aborted) problem.value = null
    } catch (error) {
      if (signal.aborted) return
      busy.value = false
      problem.value = obstacleOf(error)
    }
  }

  function soon(delay: number): void {
    clearTimeout(timer)
    timer = window.setTimeout(() => void draw(), delay)
  }

  watch(
    () => [entry.value.id, page.value, entry.value.file, entry.value.password, refused(entry.value)] as const,
    () => {
      stop.abort()
      whole.value = part.value = problem.value = null
      soon(0)
    },
    { immediate: true },
  )
  watch([camera.settled, camera.size], () => soon(0))
  onBeforeUnmount(() => {
    stop.abort()
    clearTimeout(timer)
  })
  return { whole, part, problem, busy, moved: () => soon(REST_MS) }
}

/** What is seen, in pixels of the page. */
function onPage(camera: Camera): Box {
  const seen = camera.visible()
  const corners: Point[] = [
    [seen.x, seen.y],
    [seen.x + seen.width, seen.y + seen.height],
  ]
  return boundsOf(corners.map((corner) => toPage(corner, camera.size.value, camera.turn.value)))
}

function widened(box: Box, camera: Camera): Box {
  const { width, height } = camera.size.value
  const [aside, above] = [box.width * 0.2, box.height * 0.2]
  const x = Math.max(0, box.x - aside)
  const y = Math.max(0, box.y - above)
  return {
    x,
    y,
    width: Math.min(width, box.x + box.width + aside) - x,
    height: Math.min(height, box.y + box.height + above) - y,
  }
}

function covers(part: Part | null, box: Box, scale: number): boolean {
  if (!part) return false
  const fine = part.canvas.width / part.box.width
  const inside =
    part.box.x <= box.x &&
    part.box.y <= box.y &&
    part.box.x + part.box.width >= box.x + box.width &&
    part.box.y + part.box.height >= box.y + box.height
  return inside && Math.abs(fine / scale - 1) < 0.05
}
