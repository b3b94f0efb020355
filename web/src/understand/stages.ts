/** What each stage found on a page, for the viewer to draw over the image. */
import { shallowRef } from 'vue'
import type { Polygon } from '../documents/types'

/** found by the detector; kept after their direction was decided; read as text. */
export type Stage = 'detected' | 'classified' | 'recognised'

export interface StageBoxes {
  readonly stage: Stage
  /** Of the entry and the page that these belong to; on others nothing is drawn. */
  readonly entryId: string
  readonly page: number
  /** In pixels of the original page. */
  readonly polygons: readonly Polygon[]
}

/** null: no stage is looked at. The viewer draws what is here above its own boxes. */
export const stageBoxes = shallowRef<StageBoxes | null>(null)
