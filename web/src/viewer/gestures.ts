/** What a hand does on the page: wheel, two fingers, drags that pan, drags that select text, clicks on lines. */
import { onBeforeUnmount, ref, watch, type Ref } from 'vue'
import { hovered, select } from '../documents/store'
import type { Camera } from './camera'
import { toPage, type Point } from './geometry'
import type { Selecting } from './selecting'

/** A press that moves less is a click, in pixels of the screen. */
const CLICK = 4

interface Options {
  readonly camera: Camera
  readonly selecting: () => Selecting
  /** The page follows every drag, over text as well. */
  readonly hand: Ref<boolean>
}

export function useGestures({ camera, selecting, hand }: Options) {
  const panning = ref(false)
  let end: (() => void) | null = null

  function pointOnPage(event: MouseEvent): Point {
    return toPage(camera.toTurnedPage(event.clientX, event.clientY), camera.size.value, camera.turn.value)
  }

  function down(event: MouseEvent): void {
    const view = camera.scroller.value
    if (!view || event.button > 1 || onScrollbar(event, view)) return
    event.preventDefault()
    view.dataset['byHand'] = '' // who works with the mouse needs no ring around the view
    view.focus({ preventScroll: true })
    const pans = event.button === 1 || hand.value
    const text = selecting()
    const selects = !pans && text.begin(pointOnPage(event), camera.zoom.value, event.detail, event.shiftKey)
    if (!pans && !selects) getSelection()?.removeAllRanges()
    const [x, y] = [event.clientX, event.clientY]
    const [left, top] = [view.scrollLeft, view.scrollTop]
    let moved = false
    follow((move) => {
      moved ||= Math.hypot(move.clientX - x, move.clientY - y) >= CLICK
      if (!moved) return
      if (selects) text.extend(pointOnPage(move))
      else {
        panning.value = true
        view.scrollTo({ left: left + x - move.clientX, top: top + y - move.clientY, behavior: 'instant' })
      }
    })
    const line = keyAt(event.target)
    const clicked = event.button === 0 && !hand.value && event.detail === 1 && !event.shiftKey
    const before = end
    end = () => {
      before?.()
      panning.value = false
      if (clicked && !moved) select(line)
    }
  }

  function follow(move: (event: MouseEvent) => void): void {
    end?.()
    const up = (): void => end?.()
    addEventListener('mousemove', move)
    addEventListener('mouseup', up)
    addEventListener('blur', up)
    end = () => {
      removeEventListener('mousemove', move)
      removeEventListener('mouseup', up)
      removeEventListener('blur', up)
      end = null
    }
  }

  function over(event: PointerEvent): void {
    if (event.pointerType === 'touch' || panning.value) return
    const key = keyAt(event.target)
    if (hovered.value !== key) hovered.value = key
  }

  function leave(): void {
    hovered.value = null
  }

  function wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return
    event.preventDefault()
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY
    const factor = Math.exp(-Math.max(-60, Math.min(60, pixels)) * 0.006)
    camera.zoomTo(camera.zoom.value * factor, [event.clientX, event.clientY])
  }

  function ring(event: KeyboardEvent | FocusEvent): void {
    delete (event.currentTarget as HTMLElement).dataset['byHand']
  }

  let pinch: { apart: number; zoom: number } | null = null

  function touch(event: TouchEvent): void {
    const [one, other] = [event.touches[0], event.touches[1]]
    if (!one || !other) {
      pinch = null
      return
    }
    event.preventDefault()
    const apart = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)
    pinch ??= { apart, zoom: camera.zoom.value }
    const middle: Point = [(one.clientX + other.clientX) / 2, (one.clientY + other.clientY) / 2]
    camera.zoomTo((pinch.zoom * apart) / Math.max(pinch.apart, 1), middle)
  }

  const listeners: [string, (event: never) => void][] = [
    ['mousedown', down],
    ['pointerover', over],
    ['pointerleave', leave],
    ['wheel', wheel],
    ['touchstart', touch],
    ['touchmove', touch],
    ['touchend', touch],
    ['keydown', ring],
    ['blur', ring],
  ]
  watch(camera.scroller, (now, before) => {
    for (const [name, run] of listeners) {
      before?.removeEventListener(name, run as EventListener)
      now?.addEventListener(name, run as EventListener, { passive: false })
    }
  })
  onBeforeUnmount(() => end?.())
  return { panning }
}

/** The line that an element of the page belongs to. */
function keyAt(target: EventTarget | null): string | null {
  const found = target instanceof Element ? target.closest('[data-key]') : null
  return found?.getAttribute('data-key') ?? null
}

function onScrollbar(event: MouseEvent, view: HTMLElement): boolean {
  const frame = view.getBoundingClientRect()
  return event.clientX - frame.left > view.clientWidth || event.clientY - frame.top > view.clientHeight
}
