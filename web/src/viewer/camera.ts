/** The view on a page: how large, how turned, which part. A native scroller pans; this keeps zoom and scroll in step. */
import { computed, nextTick, onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'
import {
  fitZoom,
  scrollFor,
  stepZoom,
  turnedSize,
  turnMatrix,
  withinZoom,
  type Box,
  type Point,
  type Size,
  type Turn,
} from './geometry'

export type Fit = 'width' | 'page'
export type Camera = ReturnType<typeof useCamera>

/** Around the page, in pixels of the view. */
const MARGIN = 12
/** A small picture is not blown up to fit. */
const MOST_FIT = 2
const SETTLE_MS = 140

const fit = ref<Fit | null>('width') // kept from page to page and from document to document
const free = ref(1)
const calm = matchMedia('(prefers-reduced-motion: reduce)')

export function useCamera(size: Ref<Size>, turn: Ref<Turn>) {
  const scroller = shallowRef<HTMLElement | null>(null)
  const room = shallowRef<Size>({ width: 0, height: 0 })
  const turned = computed(() => turnedSize(size.value, turn.value))
  const zoom = computed(() => {
    if (fit.value === null) return free.value
    const inside = { width: room.value.width - 2 * MARGIN, height: room.value.height - 2 * MARGIN }
    return Math.min(MOST_FIT, fitZoom(turned.value, inside, fit.value))
  })
  const stage = computed(() => ({
    width: Math.max(room.value.width, turned.value.width * zoom.value + 2 * MARGIN),
    height: Math.max(room.value.height, turned.value.height * zoom.value + 2 * MARGIN),
  }))
  const origin = computed<Point>(() => [
    Math.round((stage.value.width - turned.value.width * zoom.value) / 2),
    Math.round(Math.min(MARGIN * 4, (stage.value.height - turned.value.height * zoom.value) / 2)),
  ])
  const transform = computed(() => {
    const z = zoom.value
    const matrix = turnMatrix(size.value, turn.value).map((value) => value * z)
    return `translate(${origin.value[0]}px, ${origin.value[1]}px) matrix(${matrix.join(',')})`
  })
  const settled = useSettled(zoom)

  const observer = new ResizeObserver(([entry]) => {
    if (entry) room.value = { width: entry.contentRect.width, height: entry.contentRect.height }
  })
  watch(scroller, (now, before) => {
    if (before) observer.unobserve(before)
    if (now) observer.observe(now)
  })
  onBeforeUnmount(() => observer.disconnect())

  /** A point of the screen in pixels of the turned page. */
  function toTurnedPage(x: number, y: number): Point {
    const view = scroller.value
    if (!view) return [0, 0]
    const frame = view.getBoundingClientRect()
    return [
      (x - frame.left - view.clientLeft + view.scrollLeft - origin.value[0]) / zoom.value,
      (y - frame.top - view.clientTop + view.scrollTop - origin.value[1]) / zoom.value,
    ]
  }

  /** Enlarges by a factor; what is at a point of the screen (else in the middle) stays there. */
  function zoomTo(next: number, at?: Point): void {
    const view = scroller.value
    if (!view) return
    const frame = view.getBoundingClientRect()
    const [x, y] = at ?? [frame.left + view.clientWidth / 2, frame.top + view.clientHeight / 2]
    const [pageX, pageY] = toTurnedPage(x, y)
    fit.value = null
    free.value = withinZoom(next)
    void nextTick(() => {
      view.scrollLeft = pageX * zoom.value + origin.value[0] - (x - frame.left)
      view.scrollTop = pageY * zoom.value + origin.value[1] - (y - frame.top)
    })
  }

  function step(direction: 1 | -1): void {
    zoomTo(stepZoom(zoom.value, direction))
  }

  function setFit(how: Fit): void {
    fit.value = how
    scroller.value?.scrollTo({ left: 0 })
  }

  /** Scrolls so that a box of the turned page can be read. */
  function reveal(box: Box): void {
    const view = scroller.value
    if (!view || view.clientWidth === 0) return
    const z = zoom.value
    const line = {
      x: box.x * z + origin.value[0],
      y: box.y * z + origin.value[1],
      width: box.width * z,
      height: box.height * z,
    }
    const seen = { x: view.scrollLeft, y: view.scrollTop, width: view.clientWidth, height: view.clientHeight }
    const to = scrollFor(line, seen, 48)
    if (to) view.scrollTo({ left: to[0], top: to[1], behavior: calm.matches ? 'instant' : 'smooth' })
  }

  /** What of the turned page is to be seen now. */
  function visible(): Box {
    const view = scroller.value
    if (!view) return { x: 0, y: 0, width: 0, height: 0 }
    const left = Math.max(0, (view.scrollLeft - origin.value[0]) / zoom.value)
    const top = Math.max(0, (view.scrollTop - origin.value[1]) / zoom.value)
    const right = Math.min(
      turned.value.width,
      (view.scrollLeft + view.clientWidth - origin.value[0]) / zoom.value,
    )
    const bottom = Math.min(
      turned.value.height,
      (view.scrollTop + view.clientHeight - origin.value[1]) / zoom.value,
    )
    return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) }
  }

  return {
    scroller,
    size,
    turn,
    turned,
    zoom,
    settled,
    fit,
    stage,
    transform,
    origin,
    toTurnedPage,
    zoomTo,
    step,
    setFit,
    reveal,
    visible,
  }
}

/** The same number, once it has not changed for a moment. */
function useSettled(value: Ref<number>): Ref<number> {
  const settled = ref(value.value)
  let timer = 0
  watch(value, (now, before) => {
    clearTimeout(timer)
    timer = window.setTimeout(() => (settled.value = now), before <= 0.03 ? 0 : SETTLE_MS)
  })
  onBeforeUnmount(() => clearTimeout(timer))
  return settled
}
