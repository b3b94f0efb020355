/** The keys of the page view. */
import { boxesShown, drawing } from '../documents/store'
import { useShortcut, type Shortcut } from '../keys/keyboard'
import type { Camera } from './camera'
import { t } from './messages'
import type { Ref } from 'vue'

/** How far an arrow key scrolls, in pixels of the screen. */
const STEP = 60

interface Actions {
  readonly camera: Camera
  readonly hand: Ref<boolean>
  readonly canRead: () => boolean
  /** Returns false where there is no such page. */
  readonly go: (pages: number) => false | undefined
  readonly turn: () => void
  readonly all: () => void
}

export function useViewerKeys({ camera, hand, canRead, go, turn, all }: Actions): void {
  const on = (keys: string[], label: Shortcut['label'], run: Shortcut['run']): void =>
    useShortcut({ keys, label, run })
  const always = (run: () => void) => (): undefined => void run()
  const mine = (): boolean => {
    const active = document.activeElement
    return active === document.body || active === camera.scroller.value
  }

  on(
    ['PageDown', ']'],
    () => t('next'),
    () => go(1),
  )
  on(
    ['PageUp', '['],
    () => t('previous'),
    () => go(-1),
  )
  on(
    ['+', '='],
    () => t('larger'),
    always(() => camera.step(1)),
  )
  on(
    ['-', '_', '−'],
    () => t('smaller'),
    always(() => camera.step(-1)),
  )
  on(
    ['1'],
    () => t('actual'),
    always(() => camera.zoomTo(1)),
  )
  on(
    ['0'],
    () => t('fitPage'),
    always(() => camera.setFit('page')),
  )
  on(
    ['w'],
    () => t('fitWidth'),
    always(() => camera.setFit('width')),
  )
  on(['t'], () => t('turn'), always(turn))
  on(
    ['b'],
    () => t('boxes'),
    always(() => (boxesShown.value = !boxesShown.value)),
  )
  on(
    ['h'],
    () => t('hand'),
    always(() => (hand.value = !hand.value)),
  )
  on(
    ['r'],
    () => t('region'),
    () => (canRead() ? void (drawing.value = !drawing.value) : false),
  )
  on(
    ['Control+a'],
    () => t('all'),
    () => (mine() ? void all() : false),
  )
  on(
    ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'],
    () => t('scroll'),
    (event) => {
      if (!mine() || drawing.value) return false
      const left = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key] ?? 0
      const top = { ArrowUp: -STEP, ArrowDown: STEP }[event.key] ?? 0
      camera.scroller.value?.scrollBy({ left, top, behavior: 'instant' })
      return undefined
    },
  )
  on(
    [' '],
    () => t('drag'),
    (event) => {
      if (!mine()) return false
      if (!event.repeat && !hand.value) hold(hand)
      return undefined
    },
  )
}

/** Until the space bar is let go, or the window is left. */
function hold(hand: Ref<boolean>): void {
  hand.value = true
  const release = (event: Event): void => {
    if (event instanceof KeyboardEvent && event.key !== ' ') return
    hand.value = false
    removeEventListener('keyup', release)
    removeEventListener('blur', release)
  }
  addEventListener('keyup', release)
  addEventListener('blur', release)
}
